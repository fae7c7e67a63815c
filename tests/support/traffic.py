"""A user of the public name who doesn't wait: reads and writes go on whatever becomes of others."""

from __future__ import annotations

import json
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests

from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EVERY_SECONDS = 0.5
# Longer than the edge waits for a Region, so that its own error is what users see.
TIMEOUT = (5, 30)
# A hanging Region holds two requests every half second for as long as the edge waits for it.
AT_ONCE = 96


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request and what came of it; times are monotonic seconds."""

    method: str
    began: float
    ended: float
    status: int | None
    region: str | None
    title: str


class Traffic:
    """Reads and writes of one signed-in user, each on a connection of its own.

    One of each is sent `every` so many seconds, whatever becomes of those before.
    """

    def __init__(
        self, url: str, verify: bool | str, token: str, *, every: float = EVERY_SECONDS
    ) -> None:
        self._url = f"{url}/v1/items"
        self._every = every
        self._verify = verify
        self._headers = {"authorization": f"Bearer {token}", "connection": "close"}
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self.attempts: list[Attempt] = []

    @contextmanager
    def flowing(self) -> Iterator[Traffic]:
        """Send until the body has run, then wait for what is under way."""
        sender = threading.Thread(target=self._send)
        sender.start()
        try:
            yield self
        finally:
            self._over.set()
            sender.join()
            self._pool.shutdown()

    def acknowledged(self) -> list[str]:
        """Give the title of every item whose creation was acknowledged."""
        return [one.title for one in self.attempts if one.method == "POST" and one.status == 201]

    def served_by(self, region: str, since: float) -> bool:
        """Whether a read and a write, both begun since then, were answered by a Region."""
        methods = {
            one.method
            for one in list(self.attempts)
            if one.began >= since and one.region == region and one.status in {200, 201}
        }
        return methods == {"GET", "POST"}

    def await_service(self, region: str, since: float, within: float) -> float:
        """Wait until a Region serves; the seconds that it took from `since`."""
        left = since + within - time.monotonic()
        eventually(lambda: self.served_by(region, since), bool, within=left)
        return time.monotonic() - since

    def _send(self) -> None:
        while not self._over.wait(self._every):
            title = str(uuid.uuid4())
            self._pool.submit(self._attempt, "GET", "", {})
            self._pool.submit(self._attempt, "POST", title, {"idempotency-key": title})

    def _attempt(self, method: str, title: str, headers: Mapping[str, str]) -> None:
        began = time.monotonic()
        status, region = None, None
        try:
            answer = requests.request(
                method,
                self._url,
                headers={**self._headers, "content-type": "application/json", **headers},
                data=json.dumps({"title": title}) if title else None,
                params={} if title else {"limit": "1"},
                timeout=TIMEOUT,
                verify=self._verify,
            )
            status, region = answer.status_code, answer.headers.get("x-served-by")
        except requests.RequestException:
            pass
        self.attempts.append(Attempt(method, began, time.monotonic(), status, region, title))
