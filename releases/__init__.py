"""Releases: which version serves in a Region, moved with care, and moved back."""
