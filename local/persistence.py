"""Keeps ministack's state on disk while it runs, so that a crash loses about a second at most.

ministack itself saves at shutdown only. Same files, same format.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from dataclasses import dataclass, field
from pathlib import Path

from local.patches import persistence as patches

logger = logging.getLogger("local.persistence")

INTERVAL = 1.0
# Saving takes the event loop: at most this share of the time, however large the state gets.
MAX_SHARE = 0.1
ATTEMPTS = 3
# Operations of the JSON protocols that only read; everything else may have changed something.
READS = ("BatchGet", "Describe", "Get", "List", "Query", "Scan", "Filter")


@dataclass(slots=True)
class Saver:
    """Writes each service's state when it differs from what is on disk."""

    folder: Path
    _digests: dict[str, bytes] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def changed(self) -> None:
        """Something may have changed: save soon."""
        self._changed.set()

    async def run(self) -> None:
        """Save for ever: after a change, no more often than the interval and share allow."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            started = time.perf_counter()
            self.save()
            took = time.perf_counter() - started
            await asyncio.sleep(max(INTERVAL, took / MAX_SHARE))

    def save(self) -> None:
        """Save every service that has changed, now."""
        for service, get_state in patches.service_states().items():
            content = _serialize(service, get_state)
            digest = hashlib.blake2b(content, digest_size=16).digest() if content else b""
            if content is None or self._digests.get(service) == digest:
                continue
            staging = self.folder / f"{service}.json.new"
            staging.write_bytes(content)
            staging.replace(self.folder / f"{service}.json")
            self._digests[service] = digest


def only_reads(method: str, target: str) -> bool:
    """Whether an AWS request with this HTTP method and X-Amz-Target can change nothing."""
    if method in ("GET", "HEAD", "OPTIONS"):
        return True
    return target.rpartition(".")[2].startswith(READS) if target else False


def _serialize(service: str, get_state: patches.GetState) -> bytes | None:
    """The service's state file, or None where it has no state or can't be read just now."""
    for _ in range(ATTEMPTS):
        try:
            state = get_state()
            if state is None:
                return None
            return patches.serialize(service, state)
        except RuntimeError:  # a function's thread wrote a log line while it was being read
            continue
        except (TypeError, ValueError):
            logger.exception("the state of %s can't be saved", service)
            return None
    logger.warning("the state of %s keeps changing: saved next time", service)
    return None
