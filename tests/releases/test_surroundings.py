"""What a release finds out around it: where users are, and what its commands say."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
import requests
from botocore.exceptions import EndpointConnectionError

from project.console import ToolchainError
from project.make_variables import PREFIX
from project.switch import Row
from releases import __main__ as commands
from releases import surroundings
from releases.events import Request
from releases.functions import Reply
from releases.surroundings import Surroundings
from releases.verdicts import CouldNotJudgeError
from tests.support.accounts import DEV
from toolchain import cli

if TYPE_CHECKING:
    from collections.abc import Callable

PRIMARY, STANDBY = DEV.primary_region, DEV.standby_region


def around(monkeypatch: pytest.MonkeyPatch, row: Row, answers: str) -> Surroundings:
    monkeypatch.setattr(Surroundings, "_row", lambda _self, _region: row)
    monkeypatch.setattr(Surroundings, "_answers_users", lambda _self: answers)
    return Surroundings(DEV, "")


@pytest.mark.parametrize(
    ("row", "answers", "users"),
    [
        (Row(), PRIMARY, {PRIMARY}),
        # Nobody answers at the public name, as before the edge is there.
        (Row(), "", {PRIMARY}),
        (Row(active=True, writer=STANDBY), STANDBY, {STANDBY}),
        (Row(active=True, writer=STANDBY), "", {STANDBY}),
        # A takeover on which users are still moving; a primary that health checks have left.
        (Row(active=True, writer=STANDBY), PRIMARY, {PRIMARY, STANDBY}),
        (Row(), STANDBY, {PRIMARY, STANDBY}),
    ],
)
def test_users_are_where_the_switch_sends_them_and_where_their_name_is_answered(
    monkeypatch: pytest.MonkeyPatch, row: Row, answers: str, users: set[str]
) -> None:
    found = around(monkeypatch, row, answers)
    assert {region for region in (PRIMARY, STANDBY) if found.has_users(region)} == users


def test_a_region_of_another_account_is_refused() -> None:
    with pytest.raises(ToolchainError, match="eu-west-1 is no Region of dev: us-west-2 and us-ea"):
        Surroundings(DEV, "").other("eu-west-1")


class Session(requests.Session):
    """Answers, or raises, what it is given; keeps what it was asked."""

    def __init__(self, outcome: Callable[[], requests.Response]) -> None:
        super().__init__()
        self.outcome = outcome
        self.sent: list[dict[str, Any]] = []

    def request(self, *arguments: Any, **options: Any) -> requests.Response:
        self.sent.append({"asked": arguments, **options})
        return self.outcome()


def asked(monkeypatch: pytest.MonkeyPatch, outcome: Callable[[], requests.Response]) -> Session:
    session = Session(outcome)
    monkeypatch.setattr("releases.surroundings.requests.Session", lambda: session)
    return session


def answer() -> requests.Response:
    found = requests.Response()
    found.status_code = 201
    found.headers["X-Served-By"] = PRIMARY
    found._content = b"{}"
    return found


def test_the_regions_own_name_is_asked_with_token_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    session = asked(monkeypatch, answer)
    send = surroundings._asking("https://r.example.com", "token", "key")

    reply = send(Request("POST", "/v1/items", body={"title": "x"}), "somebody")

    assert (reply.status, reply.headers["x-served-by"], reply.json) == (201, PRIMARY, {})
    (sent,) = session.sent
    assert sent["asked"] == ("POST", "https://r.example.com/v1/items")
    assert sent["headers"]["authorization"] == "Bearer token"
    assert sent["headers"]["x-origin-key"] == "key"
    send(Request("GET", "/health"), None)
    assert "authorization" not in session.sent[1]["headers"]


def raising(error: Exception) -> Callable[[], requests.Response]:
    def fail() -> requests.Response:
        raise error

    return fail


def test_a_name_that_can_not_be_reached_from_here_judges_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked(monkeypatch, raising(requests.ConnectionError("no route")))
    with pytest.raises(CouldNotJudgeError, match="can't be asked from here"):
        surroundings._asking("https://r.example.com", "token", "key")(Request("GET", "/"), None)


def test_an_answer_that_does_not_come_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    asked(monkeypatch, raising(requests.ReadTimeout()))
    send = surroundings._asking("https://r.example.com", "token", "key")
    reply: Reply = send(Request("GET", "/"), None)
    assert (reply.status, reply.error) == (504, "no answer within 20 s")


@pytest.fixture
def on_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "read_account", lambda *_: DEV)
    monkeypatch.setattr(commands, "require_access", lambda *_: None)
    monkeypatch.setattr(commands, "require_running", lambda *_: None)


@pytest.mark.usefixtures("on_an_account")
def test_a_version_without_its_region_means_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(["rollback", "--version=7"]) == 1
    assert "say REGION= as well" in capsys.readouterr().err


@pytest.mark.usefixtures("on_an_account")
@pytest.mark.parametrize("command", [["release", "--region=us-east-1"], ["list"], ["rollback"]])
def test_an_account_that_does_not_answer_ends_in_a_sentence(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://lambda.example.com")

    monkeypatch.setattr(Surroundings, "client", lambda *_: Unreachable(fail))
    monkeypatch.setattr("releases.settings.read", lambda *_: None)
    assert commands.main(command) == 1
    shown = capsys.readouterr()
    assert "Could not connect to the endpoint URL" in shown.out + shown.err


class Unreachable:
    """A client of a service that isn't there."""

    def __init__(self, fail: Callable[..., None]) -> None:
        self._fail = fail

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return self._fail


@pytest.mark.usefixtures("on_an_account")
def test_an_interrupted_command_says_what_serves(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "_run", interrupt)
    assert commands.main(["list"]) == 130
    assert "Interrupted. What served before serves" in capsys.readouterr().err


def test_the_hooks_command_becomes_the_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that whoever ends the hook ends the release itself."""
    became: list[tuple[list[str], str]] = []
    environment = dict(os.environ)
    monkeypatch.setattr(cli, "require_own_emulator", lambda *_: True)
    monkeypatch.setattr(cli, "_work_on", lambda name: os.environ.update(ACCOUNT=name))
    monkeypatch.setattr("toolchain.cli.os.chdir", lambda _folder: None)
    monkeypatch.setattr(
        "toolchain.cli.os.execv",
        lambda _path, command: became.append((command, os.environ["ACCOUNT"])),
    )
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    try:
        assert cli.main(["release", "--account", "dev", "--region", "us-west-2"]) == 0
    finally:
        os.environ.clear()
        os.environ.update(environment)
    ((command, account),) = became
    assert command[1:] == ["-m", "releases", "release", "--region=us-west-2"]
    assert account == "dev"
