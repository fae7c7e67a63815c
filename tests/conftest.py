"""Loaded first, so that every process of a run knows each suite's markers, hooks and fixtures."""

import hypothesis

# A deadline, or how fast examples come, would measure the machine and not the code.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")

pytest_plugins = [
    "tests.support.order",
    "tests.support.deployment",
    "tests.support.clone",
    "tests.e2e.plugin",
]
