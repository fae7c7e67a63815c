"""Loaded first, so that every process of a run knows the end-to-end suite's markers and hooks."""

pytest_plugins = ["tests.e2e.plugin"]
