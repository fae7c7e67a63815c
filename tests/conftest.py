"""Loaded first, so that every process of a run knows each suite's markers, hooks and fixtures."""

pytest_plugins = [
    "tests.support.order",
    "tests.support.deployment",
    "tests.support.clone",
    "tests.e2e.plugin",
]
