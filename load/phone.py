"""One user's app on one phone: what it keeps, and what it sends for a visit.

It knows neither sockets nor clocks: a `Line` sends, waits and tells the time.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Protocol

from load.habits import Habits, Visit

# What the contract answers to a request that is right (lambda/openapi.yaml). A 404 or a 412 is one
# that another visit of the same user has overtaken, or a standby that is a second behind.
GOOD: Mapping[str, frozenset[int]] = {
    "GET /v1/items": frozenset({200}),
    "GET /v1/items/{id}": frozenset({200, 304, 404}),
    "POST /v1/items": frozenset({201}),
    "PATCH /v1/items/{id}": frozenset({200, 404, 412}),
    "DELETE /v1/items/{id}": frozenset({204, 404}),
    "refresh a token": frozenset({200}),
}
LIST, GET, CREATE, PATCH, DELETE, REFRESH = GOOD
# An access token lives for an hour (modules/identity); an app renews it before that.
TOKEN_SECONDS = 3000.0
# Twice as long each time, less a part that chance decides
# (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/).
RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
# Longer than a failover takes.
GIVE_UP_SECONDS = 120.0
# A screenful and more: what an app holds of its user's items.
MOST_HELD = 50


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `due` is when it is to be sent, `number` 1 for the first try."""

    route: str
    path: str
    due: float
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    number: int = 1

    @property
    def method(self) -> str:
        """How it is sent."""
        return "POST" if self.route == REFRESH else self.route.partition(" ")[0]

    @property
    def writes(self) -> bool:
        """Whether it changes an item."""
        return self.route in {CREATE, PATCH, DELETE}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a call; `status` is None where no answer came."""

    status: int | None
    headers: Mapping[str, str] = field(default_factory=dict)
    document: Any = None

    def is_good(self, call: Call) -> bool:
        """Whether the service did its part."""
        return self.status in GOOD[call.route]

    @property
    def may_pass(self) -> bool:
        """Whether the same request may do better later."""
        return self.status is None or self.status >= 500 or self.status == 429

    @property
    def retry_after(self) -> float:
        """Seconds that the service asks for; 0 where it asks for none, or in another form."""
        text = self.headers.get("retry-after", "")
        return float(text) if text.isdecimal() else 0.0


class Line(Protocol):
    """A phone's network and clock. Times are seconds since the traffic began."""

    def now(self) -> float:
        """Tell the time."""

    def wait_until(self, at: float) -> None:
        """Come back then."""

    def send(self, call: Call) -> Reply:
        """Send a request, and wait for what becomes of it."""

    def settled(self, call: Call, problem: str) -> None:
        """Note that a write is over: acknowledged where there is no problem."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody signed in."""

    username: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass(slots=True)
class Phone:
    """One user's app. `held` are the items that it knows, each with the ETag that it last saw."""

    user: SignedIn
    token_url: str
    client_id: str
    habits: Habits
    chance: Random
    renewed_at: float = 0.0
    held: dict[str, str] = field(default_factory=dict)

    def visit(self, line: Line, visit: Visit, due: float) -> None:
        """Do what a visit does; who sees an error puts the phone away."""
        if visit.refreshes or due - self.renewed_at > TOKEN_SECONDS:
            if not self._refresh(line, due):
                return
            due = line.now()
        if not self._list(line, due, "?limit=25"):
            return
        if visit.lists_by_status and not self._list(line, self._tap(line), "?status=doing"):
            return
        self._read(line, visit.opens)
        self._write(line, visit)

    def _refresh(self, line: Line, due: float) -> bool:
        reply = line.send(
            Call(
                REFRESH,
                self.token_url,
                due,
                {
                    "content-type": "application/x-amz-json-1.1",
                    "x-amz-target": "AWSCognitoIdentityProviderService.InitiateAuth",
                },
                {
                    "ClientId": self.client_id,
                    "AuthFlow": "REFRESH_TOKEN_AUTH",
                    "AuthParameters": {"REFRESH_TOKEN": self.user.refresh_token},
                },
            )
        )
        if reply.status != 200:
            return False
        token = str(reply.document["AuthenticationResult"]["AccessToken"])
        self.user = replace(self.user, access_token=token)
        self.renewed_at = line.now()
        return True

    def _list(self, line: Line, due: float, query: str) -> bool:
        reply = line.send(self._call(LIST, f"/v1/items{query}", due))
        if reply.status != 200:
            return False
        for item in reply.document["items"]:
            self._hold(item["id"], self.held.get(item["id"], ""))
        return True

    def _read(self, line: Line, times: int) -> None:
        for _ in range(times):
            if item_id := self._one():
                self._open(line, item_id)

    def _open(self, line: Line, item_id: str) -> None:
        etag = self.held[item_id]
        headers = {"if-none-match": etag} if etag else {}
        call = self._call(GET, f"/v1/items/{item_id}", self._tap(line), headers)
        self._learn(item_id, line.send(call))

    def _write(self, line: Line, visit: Visit) -> None:
        # Whoever has nothing yet begins with an item.
        if visit.creates or not self.held:
            self._create(line, visit)
        if visit.changes and (item_id := self._one()):
            self._change(line, item_id)
        if visit.deletes and (item_id := self._one()):
            self._delete(line, item_id)

    def _create(self, line: Line, visit: Visit) -> None:
        due = self._back_online(line) if visit.offline else self._tap(line)
        key = str(uuid.UUID(int=self.chance.getrandbits(128), version=4))
        body = {"title": f"Errand {key[:8]}", "notes": "By the way home. " * 8, "tags": ["load"]}
        headers = {"idempotency-key": key, "content-type": "application/json"}
        call = self._call(CREATE, "/v1/items", due, headers, body)
        reply = self._until_done(line, call)
        if reply.status != 201:
            return
        item_id = str(reply.document["id"])
        self._learn(item_id, reply)
        if visit.repeated:
            self._repeat(line, call, item_id)

    def _repeat(self, line: Line, call: Call, item_id: str) -> None:
        """Send a create again that was acknowledged: it has to find what it made."""
        again = replace(call, due=self._tap(line), number=1)
        reply = line.send(again)
        if reply.status == 201 and reply.document["id"] != item_id:
            line.settled(again, "made a second item")

    def _change(self, line: Line, item_id: str) -> None:
        if not self.held[item_id]:
            self._open(line, item_id)
        etag = self.held.get(item_id)
        if not etag:
            return
        headers = {"if-match": etag, "content-type": "application/merge-patch+json"}
        body = {"status": self.chance.choice(["todo", "doing", "done"])}
        call = self._call(PATCH, f"/v1/items/{item_id}", self._tap(line), headers, body)
        self._learn(item_id, self._until_done(line, call))

    def _delete(self, line: Line, item_id: str) -> None:
        call = self._call(DELETE, f"/v1/items/{item_id}", self._tap(line))
        if self._until_done(line, call).status in GOOD[DELETE]:
            self.held.pop(item_id, None)

    def _until_done(self, line: Line, call: Call) -> Reply:
        """Send a write, and again with the same key where it failed, later and later."""
        give_up = call.due + GIVE_UP_SECONDS
        while True:
            reply = line.send(call)
            if reply.is_good(call):
                line.settled(call, "")
                return reply
            due = line.now() + self._patience(call, reply)
            if due > give_up or not reply.may_pass:
                line.settled(call, f"given up after {call.number} tries")
                return reply
            call = replace(call, due=due, number=call.number + 1)
            line.wait_until(due)

    def _patience(self, call: Call, reply: Reply) -> float:
        """How long a write waits for its next try."""
        longest = RETRY_SECONDS[min(call.number, len(RETRY_SECONDS)) - 1]
        return max(longest * self.chance.uniform(0.5, 1.0), reply.retry_after)

    def _learn(self, item_id: str, reply: Reply) -> None:
        if reply.status in {200, 201}:
            self._hold(item_id, reply.headers.get("etag", ""))
        elif reply.status in {404, 412}:
            self.held.pop(item_id, None)

    def _hold(self, item_id: str, etag: str) -> None:
        self.held[item_id] = etag
        if len(self.held) > MOST_HELD:
            self.held.pop(next(iter(self.held)))

    def _one(self) -> str:
        """Choose an item; none where there is none."""
        return self.chance.choice(list(self.held)) if self.held else ""

    def _tap(self, line: Line) -> float:
        """Let the person think, and tell when the next tap was."""
        return self._after(line, self.habits.think_seconds)

    def _back_online(self, line: Line) -> float:
        return self._after(line, self.habits.offline_seconds)

    def _after(self, line: Line, seconds: tuple[float, float]) -> float:
        at = line.now() + self.chance.uniform(*seconds)
        line.wait_until(at)
        return at

    def _call(
        self,
        route: str,
        path: str,
        due: float,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Call:
        bearer = {"authorization": f"Bearer {self.user.access_token}"}
        return Call(route, path, due, {**bearer, **(headers or {})}, body)
