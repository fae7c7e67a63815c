"""Loaded first, so that every process of a run knows each suite's markers, hooks and fixtures."""

import hypothesis

# A deadline would measure the machine, not the code.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")

pytest_plugins = [
    "tests.support.order",
    "tests.support.deployment",
    "tests.support.clone",
    "tests.e2e.plugin",
]
