"""A network and a clock that aren't there, for what a phone sends over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from load.habits import Habits
from load.phone import CREATE, DELETE, GET, LIST, PATCH, REFRESH, Call, Phone, Reply, SignedIn

Answer = Callable[[Call], Reply]


def phone(**held: str) -> Phone:
    """A phone that holds items, each with an ETag."""
    user = SignedIn("ada", "an access token", "a refresh token")
    return Phone(user, "https://pool.test/", "client", Habits(), Random(7), held=held)


@dataclass(slots=True)
class Service:
    """Items as the API has them; `fails` are answers that come instead, in turn."""

    fails: list[Reply] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    items: dict[str, int] = field(default_factory=dict)
    by_key: dict[str, str] = field(default_factory=dict)
    at: float = 0.0
    forgets_keys: bool = False

    def now(self) -> float:
        return self.at

    def wait_until(self, at: float) -> None:
        self.at = max(self.at, at)

    def settled(self, call: Call, problem: str) -> None:
        self.problems.append((call.route, problem))

    def send(self, call: Call) -> Reply:
        self.calls.append(call)
        self.at += 0.1
        if self.fails and call.route != REFRESH:
            return self.fails.pop(0)
        return self._answer(call)

    def sent(self, route: str) -> list[Call]:
        """What was sent to a route, in turn."""
        return [call for call in self.calls if call.route == route]

    def _answer(self, call: Call) -> Reply:
        item_id = call.path.rpartition("/")[2]
        match call.route:
            case route if route == REFRESH:
                return Reply(200, document={"AuthenticationResult": {"AccessToken": "another"}})
            case route if route == LIST:
                return Reply(200, document={"items": [{"id": each} for each in self.items]})
            case route if route == CREATE:
                return self._create(call)
            case route if route == DELETE:
                self.items.pop(item_id, None)
                return Reply(204)
        if item_id not in self.items:
            return Reply(404)
        assert call.route in {GET, PATCH}
        return self._read(call, item_id) if call.route == GET else self._change(call, item_id)

    def _create(self, call: Call) -> Reply:
        key = call.headers["idempotency-key"]
        if key not in self.by_key or self.forgets_keys:
            self.by_key[key] = f"item-{len(self.items)}"
            self.items[self.by_key[key]] = 1
        return self._item(201, self.by_key[key])

    def _read(self, call: Call, item_id: str) -> Reply:
        fresh = call.headers.get("if-none-match") == f'"{self.items[item_id]}"'
        return Reply(304) if fresh else self._item(200, item_id)

    def _change(self, call: Call, item_id: str) -> Reply:
        if call.headers["if-match"] != f'"{self.items[item_id]}"':
            return Reply(412)
        self.items[item_id] += 1
        return self._item(200, item_id)

    def _item(self, status: int, item_id: str) -> Reply:
        document: dict[str, Any] = {"id": item_id}
        return Reply(status, {"etag": f'"{self.items[item_id]}"'}, document)
