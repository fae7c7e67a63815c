"""What an account says about its releases, and what it can't mean."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from project.console import ToolchainError
from project.paths import TREE
from releases import settings
from releases.settings import Settings

Read = Callable[[object, object], Settings]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    def written(canary_percent: object, bake_minutes: object) -> Settings:
        said = {"canary_percent": canary_percent, "bake_minutes": bake_minutes}
        monkeypatch.setattr(settings, "read_settings", lambda *_: said)
        return settings.read(TREE, "dev")

    return written


@pytest.mark.parametrize(
    ("percent", "minutes", "seconds"), [(10, 10, 600), (100, 0, 0), (0.5, 0.25, 15)]
)
def test_parts_of_a_percent_and_of_a_minute_are_allowed(
    read: Read, percent: float, minutes: float, seconds: float
) -> None:
    assert read(percent, minutes) == Settings(percent, minutes)
    assert read(percent, minutes).bake_seconds == seconds


@pytest.mark.parametrize(
    ("percent", "minutes", "sentence"),
    [
        (0, 10, "canary_percent is 0, and must be more than 0 and at most 100"),
        (101, 10, "canary_percent is 101"),
        (10, -1, "bake_minutes is -1, and must be from 0"),
        (10, 1441, "bake_minutes is 1441"),
        ("a tenth", 10, "live/dev/account.hcl: could not convert"),
        (10, None, "live/dev/account.hcl"),
    ],
)
def test_what_makes_no_sense_is_refused(
    read: Read, percent: object, minutes: object, sentence: str
) -> None:
    with pytest.raises(ToolchainError, match=sentence):
        read(percent, minutes)


def test_the_accounts_of_this_tree_say_it() -> None:
    for account in ("local", "dev", "prod"):
        assert settings.read(TREE, account).canary_percent > 0
