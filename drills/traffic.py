"""Signed-in users of the public name, who don't wait: a fixed rate, whatever becomes of it.

An open loop: each request is due at a time of its own, whether those before it were answered or
not, and its wait is counted from when it was due. A write that fails is tried again with the same
Idempotency-Key, later and later, as a good client does; some that succeeded are sent again as well,
as by a client that lost the answer.
"""

from __future__ import annotations

import heapq
import itertools
import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from drills.history import Acknowledged, Attempt, Kind
from drills.journal import Journal
from drills.test_users import User

# A mobile client's patience: to connect, and for an answer.
TIMEOUT_SECONDS = (4.0, 8.0)
# Twice as long each time, less a part that chance decides: who failed together doesn't come back
# together (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/).
RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
GIVE_UP_SECONDS = 120.0
# Of every so many creates one is sent again, so long after it was acknowledged: at once, across a
# failover, and long after.
REPLAY_EVERY = 5
REPLAY_SECONDS = (2.0, 20.0, 45.0)
# More requests than can be under way at this rate while every one of them hangs.
AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Client:
    """One user on one device. `counter_id` is the item that this user's updates go to."""

    user: User
    kept: bool
    session: requests.Session = field(repr=False)
    counter_id: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """One request that is due."""

    operation: int
    kind: Kind
    client: Client
    due: float
    first_due: float
    number: int = 1
    replays: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request; `item_id` of a write that was done, `found` so by a read."""

    status: int | None
    region: str | None
    item_id: str = ""
    error: str = ""
    found: bool = False


class Traffic:
    """The users' requests, so many a second of each kind, from `flowing` until its block ends."""

    def __init__(
        self,
        url: str,
        verify: str | bool,
        users: Sequence[User],
        journal: Journal,
        per_second: Mapping[Kind, float],
    ) -> None:
        self._url = f"{url}/v1/items"
        self._journal = journal
        self._clients = [
            Client(user, kept=index % 2 == 0, session=_session(user, verify))
            for index, user in enumerate(users)
        ]
        self._per_second = per_second
        # Apart, so that each user's item is updated as often as every other's.
        self._turns = {kind: itertools.cycle(range(len(users))) for kind in per_second}
        self._operations = itertools.count(1)
        self._tasks: list[tuple[float, int, Task]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._under_way = 0
        self._planning = True
        self._pool = ThreadPoolExecutor(AT_ONCE)

    @contextmanager
    def flowing(self) -> Iterator[Traffic]:
        """Send while the block runs. What is still being tried then is dropped."""
        self._clients = [self._with_counter(client) for client in self._clients]
        now = self._journal.clock()
        with self._changed:
            for index, kind in enumerate(self._per_second):
                self._plan(kind, now + index / sum(self._per_second.values()))
        sender = threading.Thread(target=self._send, daemon=True)
        sender.start()
        try:
            yield self
        finally:
            with self._changed:
                self._planning = False
                self._tasks.clear()
                self._changed.notify_all()
            sender.join()
            self._pool.shutdown()
            for client in self._clients:
                client.session.close()

    def finish(self, seconds: float) -> bool:
        """Begin nothing new and let every retry come to its end; False when it takes longer."""
        with self._changed:
            self._planning = False
            self._tasks = [each for each in self._tasks if each[2].number > 1]
            heapq.heapify(self._tasks)
            self._changed.notify_all()
            return self._changed.wait_for(
                lambda: not self._tasks and not self._under_way, timeout=seconds
            )

    def _with_counter(self, client: Client) -> Client:
        # Made before anything is measured. Raises requests' errors.
        answer = client.session.post(
            self._url,
            json={"title": "counter", "notes": ""},
            headers={"idempotency-key": f"counter-{client.user.username}"},
            timeout=TIMEOUT_SECONDS,
        )
        answer.raise_for_status()
        return replace(client, counter_id=str(answer.json()["id"]))

    def _plan(self, kind: Kind, due: float) -> None:
        client = self._clients[next(self._turns[kind])]
        self._push(Task(next(self._operations), kind, client, due, due))

    def _push(self, task: Task) -> None:
        heapq.heappush(self._tasks, (task.due, next(self._order), task))
        self._changed.notify_all()

    def _send(self) -> None:
        with self._changed:
            while self._planning or self._tasks:
                wait = self._tasks[0][0] - self._journal.clock() if self._tasks else None
                if wait is None or wait > 0:
                    self._changed.wait(wait)
                    continue
                _, _, task = heapq.heappop(self._tasks)
                if task.number == 1 and not task.replays:
                    # By the clock alone: this is what makes the loop an open one.
                    self._plan(task.kind, task.due + 1 / self._per_second[task.kind])
                self._under_way += 1
                self._pool.submit(self._try, task)

    def _try(self, task: Task) -> None:
        try:
            self._attempt(task)
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def _attempt(self, task: Task) -> None:
        sent = self._journal.clock()
        answer = _ask(CALLS[task.kind], self._url, task)
        ended = self._journal.clock()
        attempt = Attempt(
            task.operation, task.kind, task.client.user.username, task.client.kept, task.number,
            task.due, sent, ended, answer.status, answer.region, answer.error,
        )  # fmt: skip
        if answer.status in {200, 201} and task.kind.writes:
            self._journal.acknowledge(
                Acknowledged(
                    task.operation, task.kind, task.client.user.owner, answer.item_id,
                    str(answer.region), ended, answer.found,
                )
            )  # fmt: skip
        self._journal.attempt(attempt)
        self._follow_up(task, attempt, ended)

    def _follow_up(self, task: Task, attempt: Attempt, ended: float) -> None:
        done = attempt.status in {200, 201}
        with self._changed:
            if task.kind.writes and not done:
                longest = RETRY_SECONDS[min(task.number, len(RETRY_SECONDS)) - 1]
                wait = longest * random.uniform(0.5, 1.0)  # noqa: S311 - nobody is to guess it
                if ended + wait < task.first_due + GIVE_UP_SECONDS:
                    self._push(replace(task, due=ended + wait, number=task.number + 1))
            elif task.kind is Kind.CREATE and not task.replays and self._planning:
                self._replay(task, ended)

    def _replay(self, task: Task, ended: float) -> None:
        count, rest = divmod(task.operation, REPLAY_EVERY)
        if rest == 0:
            due = ended + REPLAY_SECONDS[count % len(REPLAY_SECONDS)]
            self._push(replace(task, due=due, first_due=due, number=1, replays=True))


def _session(user: User, verify: str | bool) -> requests.Session:
    session = requests.Session()
    session.verify = verify
    # Or a bundle named in the environment would stand in for the one that was given.
    session.trust_env = verify is True
    session.headers["authorization"] = f"Bearer {user.access_token}"
    session.mount("https://", HTTPAdapter(pool_maxsize=AT_ONCE))
    return session


Call = Callable[[str, Task, dict[str, str]], requests.Response]


def _ask(call: Call, url: str, task: Task) -> Answer:
    headers = {} if task.client.kept else {"connection": "close"}
    try:
        response = call(url, task, headers)
    except requests.RequestException as error:
        return Answer(None, None, error=type(error).__name__)
    region = response.headers.get("x-served-by")
    item_id = _item_id(response) if task.kind.writes and response.ok else ""
    found = task.kind.writes and response.request.method == "GET"
    return Answer(response.status_code, region, item_id, found=found)


def _item_id(response: requests.Response) -> str:
    document: dict[str, Any] = response.json()
    return str(document["id"])


def _read(url: str, task: Task, headers: dict[str, str]) -> requests.Response:
    return task.client.session.get(
        url, params={"limit": "1"}, headers=headers, timeout=TIMEOUT_SECONDS
    )


def _create(url: str, task: Task, headers: dict[str, str]) -> requests.Response:
    key = f"drill-{task.operation}"
    return task.client.session.post(
        url,
        json={"title": title_of(task.operation)},
        headers={**headers, "idempotency-key": key},
        timeout=TIMEOUT_SECONDS,
    )


def _update(url: str, task: Task, headers: dict[str, str]) -> requests.Response:
    """Add the operation's number to the counter's notes, unless an earlier try has."""
    session, item = task.client.session, f"{url}/{task.client.counter_id}"
    current = session.get(item, headers=headers, timeout=TIMEOUT_SECONDS)
    if current.status_code != 200:
        return current
    notes = str(current.json().get("notes") or "")
    if task.operation in updates_in(notes):
        return current
    return session.patch(
        item,
        json={"notes": f"{notes} {task.operation}".strip()},
        headers={
            **headers,
            "if-match": current.headers["etag"],
            "content-type": "application/merge-patch+json",
        },
        timeout=TIMEOUT_SECONDS,
    )


CALLS: Mapping[Kind, Call] = {
    Kind.READ: _read,
    Kind.CREATE: _create,
    Kind.UPDATE: _update,
}


def title_of(operation: int) -> str:
    """Name the item that an operation makes."""
    return f"operation {operation}"


def operation_of(title: str) -> int:
    """Read the operation out of a title; 0 for a counter."""
    return int(title.removeprefix("operation ")) if title.startswith("operation ") else 0


def updates_in(notes: str) -> frozenset[int]:
    """Read the updates that a counter holds out of its notes."""
    return frozenset(int(number) for number in notes.split())
