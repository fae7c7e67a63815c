"""Alarms: `evaluation` says when one goes off, `runner` looks again and again."""
