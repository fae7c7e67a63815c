"""What a drill's users send, and what they take for done."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import pytest
import requests
from requests.adapters import BaseAdapter

from drills import traffic
from drills.experiment import STEADY_UPDATES
from drills.history import Kind
from drills.journal import Journal
from drills.test_users import User
from drills.traffic import Traffic
from tests.drills.histories import PRIMARY, STANDBY
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

URL = "https://api.example.com"
USERS = [User(f"user-{number}", f"token-{number}") for number in range(4)]


class Items(BaseAdapter):
    """A service that keeps items. `loses` writes that many updates and loses their answers."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: dict[str, str] = defaultdict(str)
        self.patched: Counter[str] = Counter()
        self.closes: dict[str, bool] = {}
        self.loses = 0
        self.refuses = 0
        self._lock = threading.Lock()

    def send(
        self, request: requests.PreparedRequest, *_args: object, **_kwargs: object
    ) -> requests.Response:
        with self._lock:
            status, document = self._answer(request)
        answer = requests.Response()
        answer.request = request
        answer.status_code = status
        answer.headers["etag"] = '"1"'
        # Reads are answered by the other Region, as the edge does when the first is gone.
        answer.headers["x-served-by"] = STANDBY if request.method == "GET" else PRIMARY
        answer._content = json.dumps(document).encode()
        return answer

    def _answer(self, request: requests.PreparedRequest) -> tuple[int, dict[str, Any]]:
        assert request.url
        owner = request.headers["authorization"]
        if request.method == "POST":
            return 201, {"id": owner}
        if request.method == "PATCH":
            self.closes[owner] = request.headers.get("connection") == "close"
            if self.refuses:
                self.refuses -= 1
                return 503, {}
            assert isinstance(request.body, bytes)
            self.notes[owner] = json.loads(request.body)["notes"]
            self.patched[owner] += 1
            if self.loses:
                self.loses -= 1
                raise requests.ConnectionError
        return 200, {"id": owner, "notes": self.notes[owner]}

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def items(monkeypatch: pytest.MonkeyPatch) -> Items:
    made = Items()
    monkeypatch.setattr(traffic, "HTTPAdapter", lambda **_: made)
    monkeypatch.setattr(traffic, "RETRY_SECONDS", (0.01,))
    return made


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    began = time.monotonic()
    return Journal(tmp_path, lambda: time.monotonic() - began)


def flow(journal: Journal, per_second: Mapping[Kind, float], acknowledged: int) -> None:
    """Send until so many writes were acknowledged."""
    with Traffic(URL, True, USERS, journal, per_second).flowing() as flowing:
        eventually(lambda: len(journal.acknowledged), lambda seen: seen >= acknowledged, 30.0)
        assert flowing.finish(10.0)


def test_each_users_item_is_updated_as_often_as_every_others(
    items: Items, journal: Journal
) -> None:
    flow(journal, {kind: 10 * rate for kind, rate in STEADY_UPDATES.items()}, 60)

    assert len(items.patched) == len(USERS)
    assert max(items.patched.values()) - min(items.patched.values()) <= 1
    kinds = Counter(each.kind for each in journal.attempts if each.number == 1)
    assert kinds[Kind.UPDATE] > kinds[Kind.READ]


def test_half_of_the_users_keep_their_connections(items: Items, journal: Journal) -> None:
    flow(journal, {Kind.UPDATE: 40.0}, 20)

    kept = {each.user: each.kept_connection for each in journal.attempts}
    assert sorted(kept.values()) == [False, False, True, True]
    assert sorted(items.closes.values()) == [False, False, True, True]


def test_an_update_whose_answer_was_lost_is_found_done_by_a_read_of_any_region(
    items: Items, journal: Journal
) -> None:
    items.loses = 1
    flow(journal, {Kind.UPDATE: 40.0}, 8)

    (lost,) = [each.operation for each in journal.attempts if each.status is None]
    acknowledged = {each.operation: each for each in journal.acknowledged}
    assert acknowledged[lost].found
    assert acknowledged[lost].region == STANDBY
    others = [each for each in journal.acknowledged if each.operation != lost]
    assert all(not each.found and each.region == PRIMARY for each in others)
    # It stands there once.
    words = " ".join(items.notes.values()).split()
    assert words.count(str(lost)) == 1


def test_a_refused_update_is_tried_again_until_it_is_taken(items: Items, journal: Journal) -> None:
    items.refuses = 5
    flow(journal, {Kind.UPDATE: 40.0}, 10)

    refused = {each.operation for each in journal.attempts if each.refused}
    assert refused
    assert refused <= {each.operation for each in journal.acknowledged}
