"""Signed-in users with a mobile app's habits, so many requests a second, and what that costs."""
