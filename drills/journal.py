"""What happened, on disk as it happens: the journal of acknowledged writes, and every event."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from drills.history import Acknowledged, Attempt, Change, Lag, Moment


class Journal:
    """Keeps what a drill sees, in memory for its figures and on disk whatever becomes of it.

    An acknowledged write is on the disk before `acknowledge` returns, so before its user goes on.
    Any thread may write.
    """

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.attempts: list[Attempt] = []
        self.acknowledged: list[Acknowledged] = []
        self.changes: list[Change] = []
        self.lags: list[Lag] = []
        self.moments: dict[Moment, float] = {}
        self._lock = threading.Lock()
        self._journal = (folder / "journal.jsonl").open("w")
        self._events = (folder / "events.jsonl").open("w")

    def close(self) -> None:
        """Close both files."""
        with self._lock:
            self._journal.close()
            self._events.close()

    def acknowledge(self, write: Acknowledged) -> None:
        """Keep an acknowledged write."""
        with self._lock:
            self.acknowledged.append(write)
            _line(self._journal, asdict(write))
            self._journal.flush()
            os.fsync(self._journal.fileno())

    def attempt(self, attempt: Attempt) -> None:
        """Keep a request that has ended."""
        with self._lock:
            self.attempts.append(attempt)
            _line(self._events, {"event": "request", **asdict(attempt)})

    def change(self, subject: str, seen: str) -> None:
        """Keep a change of something that is watched."""
        change = Change(self.clock(), subject, seen)
        with self._lock:
            self.changes.append(change)
            _line(self._events, {"event": "change", **asdict(change)})

    def lag(self, lag: Lag) -> None:
        """Keep how long a marker took."""
        with self._lock:
            self.lags.append(lag)
            _line(self._events, {"event": "lag", **asdict(lag)})

    def moment(self, moment: Moment) -> float:
        """Note that a moment of the drill is now; seconds since the drill began."""
        at = self.clock()
        with self._lock:
            self.moments[moment] = at
            _line(self._events, {"event": "moment", "moment": moment, "at": at})
        return at


def _line(file: TextIO, document: dict[str, object]) -> None:
    file.write(json.dumps(document) + "\n")
