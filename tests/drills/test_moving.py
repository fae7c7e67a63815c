"""What commands and drills make of a hand-over: who is watched, what is said, and how it ends."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING
from unittest.mock import Mock, call

import pytest
import requests
from botocore.exceptions import ClientError

from drills import watchers
from drills.__main__ import main
from drills.experiments import EXPERIMENTS
from drills.faults import EndpointFault, Takeover
from drills.hand_over import HandOver, Outcome
from drills.history import Moment
from drills.run import Drill
from drills.takeover import Names, failback, takeover
from project.console import ToolchainError
from tests.drills.histories import PRIMARY, STANDBY
from tests.drills.systems import ACCOUNT, system

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = Names(ACCOUNT, "", 69.0)


@pytest.mark.parametrize(
    ("status", "served_by", "seen"),
    [(401, STANDBY, STANDBY), (503, PRIMARY, PRIMARY), (502, None, "nobody (502)")],
)
def test_writes_are_watched_by_one_that_changes_nothing(
    status: int, served_by: str | None, seen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, dict[str, str]]] = []

    def put(url: str, *, headers: dict[str, str], **_: object) -> SimpleNamespace:
        asked.append((url, headers))
        answered = {"x-served-by": served_by} if served_by else {}
        return SimpleNamespace(status_code=status, headers=answered)

    monkeypatch.setattr(requests, "put", put)

    assert watchers.writes_served_by("https://api.example.com") == seen
    ((url, headers),) = asked
    assert url.startswith("https://api.example.com/v1/items/")
    # A token would make it a write; a kept connection would see the Region of before.
    assert headers == {"connection": "close"}


def test_writes_that_nobody_answers_are_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "put", Mock(side_effect=requests.ConnectTimeout))
    assert watchers.writes_served_by("https://api.example.com") == "nobody"


@pytest.fixture
def unseen(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Commands that watch nothing."""
    monkeypatch.setattr("drills.takeover._shown", lambda _names: [])
    monkeypatch.setattr("drills.takeover.switch_of", lambda _account: Mock())
    return monkeypatch


@pytest.mark.parametrize(
    ("command", "method", "region"),
    [(takeover, "take_over", STANDBY), (failback, "fail_back", PRIMARY)],
)
@pytest.mark.parametrize(
    ("outcome", "status", "says"),
    [
        (
            Outcome(moved=True, refused_seconds=6.4),
            0,
            "Seen from here, writes were refused for 6 s at most",
        ),
        (Outcome(moved=True), 0, "Users are served by"),
        (Outcome(moved=False), 1, "is not served by"),
    ],
)
def test_a_command_says_where_users_are_and_for_how_long_nobody_wrote(
    command: Callable[[Names], int],
    method: str,
    region: str,
    outcome: Outcome,
    status: int,
    says: str,
    unseen: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    unseen.setattr(HandOver, method, lambda _self: outcome)

    assert command(NAMES) == status

    said = capsys.readouterr().err
    assert says in said
    assert f"served by {region}" in said


def test_what_aws_refuses_is_explained(unseen: pytest.MonkeyPatch) -> None:
    denied = ClientError({"Error": {"Code": "AccessDeniedException"}}, "UpdateItem")
    unseen.setattr(HandOver, "take_over", Mock(side_effect=denied))

    with pytest.raises(ToolchainError) as refused:
        takeover(NAMES)

    for part in ("AccessDenied", ACCOUNT.table_name, "kms:Decrypt in both", "goes on from"):
        assert part in str(refused.value)


@pytest.mark.parametrize("command", ["takeover", "failback", "pause-writes", "resume-writes"])
def test_ctrl_c_says_that_the_same_command_goes_on(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("drills.__main__.require_running", Mock(side_effect=KeyboardInterrupt))
    monkeypatch.delenv("ACCOUNT", raising=False)

    assert main([command]) == 130

    assert "The same command again goes on from there" in capsys.readouterr().err


def test_a_drill_gives_back_what_it_moved_before_it_unmakes_what_it_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = Mock()
    monkeypatch.setattr(Takeover, "give_back", lambda self, _system: done.give_back(self.region))
    drill = Drill(EXPERIMENTS["takeover"], system(), done.journal, done.rollback, (), Mock())

    drill._heal([EndpointFault(PRIMARY, "partition"), Takeover(STANDBY)])

    assert done.mock_calls == [
        call.journal.moment(Moment.HEALING),
        call.give_back(STANDBY),
        call.rollback.heal(drill.system),
        call.journal.moment(Moment.HEALED),
    ]
