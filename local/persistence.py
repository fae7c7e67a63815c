"""Keeps the state on disk while the emulator runs, so that a crash costs a second at most.

Items, and writes on their way between Regions, are in the item store. Every other service's state
is small: a file each, in ministack's own format, which is written when it differs.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from local.item_store import ItemStore, SaveError
from local.patches import persistence as patches

logger = logging.getLogger("local.persistence")

RETRY_SECONDS = 1.0
# Making a service's file takes the event loop: at most this share of the time for each.
MAX_SHARE = 0.1
ATTEMPTS = 3
ITEM_WRITES = ("PutItem", "UpdateItem", "DeleteItem", "WriteItem", "WriteItems")
# Operations of the JSON protocols that only read; everything else may have changed something.
READS = ("BatchGet", "Describe", "Get", "List", "Query", "Scan", "Filter")


@dataclass(slots=True)
class _Service:
    """What was last saved of one service, and when to look at it again (monotonic seconds)."""

    digest: bytes = b""
    not_before: float = 0.0


@dataclass(slots=True)
class Saver:
    """Saves what has changed, `interval` seconds after it did; with 0, before it is acknowledged.

    `follow_tables` is called before items are written.
    """

    folder: Path
    items: ItemStore
    interval: float
    follow_tables: Callable[[], None]
    # Why the last save failed; empty when it didn't.
    failure: str = ""
    _services: dict[str, _Service] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _busy: bool = False
    # Which services, by their state files, may have changed since the last save began; None: any.
    _stale: frozenset[str] | None = frozenset()
    _saving: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def waiting(self) -> bool:
        """Whether anything may still have to be saved."""
        return self._changed.is_set() or self._busy or self.items.changed

    def changed(self, services: frozenset[str] | None = None) -> None:
        """Items may have changed, and some services, None for any of them: save soon.

        Reading the services' states is most of what a save costs.
        """
        if self._stale is not None:
            self._stale = None if services is None else self._stale | services
        self._changed.set()

    async def run(self) -> None:
        """Save for ever; what can't be saved is tried again every second."""
        while True:
            self._busy = False
            await self._changed.wait()
            self._busy = True
            self._changed.clear()
            await asyncio.sleep(self.interval)
            stale, self._stale = self._stale, frozenset()
            try:
                all_saved = await self.save(stale)
            except SaveError:
                all_saved = False
                await asyncio.sleep(RETRY_SECONDS)
            if not all_saved:
                self.changed(stale)

    async def before_acknowledging(self, services: frozenset[str] | None) -> None:
        """Save what is about to be acknowledged, where the interval says so. Raises SaveError."""
        if self.interval == 0:
            await self.save(services, everything=True)

    async def save(
        self, services: frozenset[str] | None = None, *, everything: bool = False
    ) -> bool:
        """Save items, and what has changed of some services, or of any.

        Raises SaveError, and tries again with the next call. False where a service was left for
        later because it is large; `everything` leaves none.
        """
        async with self._saving:
            problems, all_saved = [], True
            for saving in self._savings(services, everything=everything):
                try:
                    all_saved &= await saving()
                except SaveError as error:
                    problems.append(str(error))
            self._note("; ".join(problems))
        if problems:
            raise SaveError(self.failure)
        return all_saved

    def _savings(
        self, services: frozenset[str] | None, *, everything: bool
    ) -> Iterator[Callable[[], Awaitable[bool]]]:
        """What a save is made of; one that fails keeps no other from being saved."""
        yield self._save_items
        for service, get_state in patches.service_states().items():
            if services is None or service in services:
                yield partial(self._save_service, service, get_state, everything=everything)

    def _note(self, failure: str) -> None:
        if failure and failure != self.failure:
            logger.error("the state can't be saved, tried again every second: %s", failure)
        elif self.failure and not failure:
            logger.warning("the state is saved again")
        self.failure = failure

    async def _save_items(self) -> bool:
        self.follow_tables()
        await _on_disk(self.items.write)
        return True

    async def _save_service(
        self, service: str, get_state: patches.GetState, *, everything: bool
    ) -> bool:
        known = self._services.setdefault(service, _Service())
        if time.monotonic() < known.not_before and not everything:
            return False
        # Others have their turn between two services.
        await asyncio.sleep(0)
        started = time.perf_counter()
        content = _serialize(service, get_state)
        digest = hashlib.blake2b(content, digest_size=16).digest() if content else b""
        took = time.perf_counter() - started
        if content is not None and digest != known.digest:
            await _on_disk(_write, self.folder / f"{service}.json", content)
            known.digest = digest
        # Not after a failure: that is tried again, large or not.
        known.not_before = time.monotonic() + took / MAX_SHARE
        return True


async def _on_disk(write: Callable[..., None], *arguments: object) -> None:
    """Write in a thread: a disk may be slow. Raises SaveError."""
    try:
        await asyncio.to_thread(write, *arguments)
    except OSError as error:
        raise SaveError(str(error)) from error


def _write(file: Path, content: bytes) -> None:
    """Put a file in place whole."""
    staging = file.with_suffix(".json.new")
    staging.write_bytes(content)
    staging.replace(file)


def only_reads(method: str, target: str) -> bool:
    """Whether an AWS request with this HTTP method and X-Amz-Target can change nothing."""
    if method in ("GET", "HEAD", "OPTIONS"):
        return True
    return target.rpartition(".")[2].startswith(READS) if target else False


def changed_by(target: str) -> frozenset[str] | None:
    """Which services a request with this X-Amz-Target changes beside items; None where any may."""
    if target.startswith("DynamoDB_") and target.endswith(ITEM_WRITES):
        return frozenset()
    if target.startswith("AWSCognitoIdentityProviderService."):
        return frozenset({"cognito"})
    return None


def _serialize(service: str, get_state: patches.GetState) -> bytes | None:
    """The service's state file, or None where it has no state. Raises SaveError."""
    for _ in range(ATTEMPTS):
        try:
            state = get_state()
            return None if state is None else patches.serialize(service, state)
        except RuntimeError:  # a function's thread wrote a log line while it was being read
            continue
        except (TypeError, ValueError) as error:
            raise SaveError(f"the state of {service}: {error}") from error
    raise SaveError(f"the state of {service} keeps changing")
