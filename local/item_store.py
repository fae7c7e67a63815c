"""Small records in one SQLite file: items of tables, and writes on their way between Regions.

A change is kept as it is made and written with the next `write`, so that saving costs what has
changed and not what there is. What one `write` writes is there whole after a crash, or not at all.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.unreadable import UnreadableStateError

Key = tuple[str, ...]
Rows = list[tuple[Key, Any]]

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS record "
    "(kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, key))"
)
# EXCLUSIVE needs no shared memory, which some file systems lack, and keeps a second process out.
# With a write-ahead log, NORMAL hands a commit to the system, which keeps it whatever becomes of
# this process, and doesn't wait for a disk that may be slow; after a power cut the file is an older
# one, and whole (sqlite.org/pragma.html#pragma_synchronous).
PRAGMAS = ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = NORMAL")
# What SQLite calls a file that isn't, or isn't any more, what we wrote.
DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})


class SaveError(Exception):
    """Something can't be saved; the message says what and why."""


@dataclass(slots=True)
class _Batch:
    """Changes that belong together: kinds to empty first, then values, None for a removal."""

    emptied: set[str] = field(default_factory=set)
    values: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def empty(self, kind: str) -> None:
        self.emptied.add(kind)
        self.values = {each: text for each, text in self.values.items() if each[0] != kind}

    def add(self, later: _Batch) -> None:
        for kind in later.emptied:
            self.empty(kind)
        self.values |= later.values


class ItemStore:
    """The records of one file, by kind and key; values are JSON. Safe to use from any thread."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._batch = _Batch()
        self._batch_lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._database: sqlite3.Connection | None = None

    @property
    def changed(self) -> bool:
        """Whether anything waits to be written."""
        return bool(self._batch.values or self._batch.emptied)

    def put(self, kind: str, key: Key, value: Any) -> None:  # noqa: ANN401 - any JSON
        """Keep a value from now on, as it is now."""
        self._change(kind, key, json.dumps(value))

    def remove(self, kind: str, key: Key) -> None:
        """Keep a value no longer; harmless where there is none."""
        self._change(kind, key, None)

    def replace(self, kind: str, values: Iterable[tuple[Key, Any]]) -> None:
        """Keep these, and nothing else of a kind."""
        texts = {(kind, json.dumps(key)): json.dumps(value) for key, value in values}
        with self._batch_lock:
            self._batch.empty(kind)
            self._batch.values |= texts

    def _change(self, kind: str, key: Key, text: str | None) -> None:
        with self._batch_lock:
            self._batch.values[kind, json.dumps(key)] = text

    def write(self) -> None:
        """Write what has changed. Raises SaveError; the changes are kept for the next call then."""
        with self._write_lock:
            with self._batch_lock:
                batch, self._batch = self._batch, _Batch()
            if not (batch.values or batch.emptied):
                return
            try:
                _write(self._opened(), batch)
            except sqlite3.Error as error:
                with self._batch_lock:
                    batch.add(self._batch)
                    self._batch = batch
                # After some errors a connection is of no more use (sqlite.org/rescode.html).
                self._close()
                raise SaveError(f"{self._file}: {error}") from error

    def read(self) -> dict[str, Rows]:
        """Every record that was written, by its kind.

        Raises UnreadableStateError, and SaveError when the file can't be had just now.
        """
        if not self._file.exists():
            return {}
        if not self._file.stat().st_size:
            # To SQLite it is a new database.
            raise UnreadableStateError(self._file, "it is empty")
        with self._write_lock:
            found: dict[str, Rows] = {}
            for kind, key, value in self._rows():
                found.setdefault(kind, []).append((key, value))
            return found

    def _rows(self) -> Iterator[tuple[str, Key, Any]]:
        try:
            database = self._opened()
            damage = database.execute("PRAGMA quick_check").fetchone()[0]
            if damage != "ok":
                raise UnreadableStateError(self._file, damage)
            for kind, key, value in database.execute("SELECT kind, key, value FROM record"):
                yield kind, tuple(json.loads(key)), json.loads(value)
        except sqlite3.Error as error:
            raise _explained(self._file, error) from error
        except (ValueError, TypeError) as error:
            raise UnreadableStateError(self._file, error) from error

    def close(self) -> None:
        """Let go of the file; nothing is written. The next call opens it again."""
        with self._write_lock:
            self._close()

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            database = sqlite3.connect(self._file, timeout=1, check_same_thread=False)
            try:
                for pragma in PRAGMAS:
                    database.execute(f"PRAGMA {pragma}")
                with database:
                    database.execute(SCHEMA)
            except sqlite3.Error:
                database.close()
                raise
            self._database = database
        return self._database


def _explained(file: Path, error: sqlite3.Error) -> Exception:
    """Tell a damaged file from one that can't be had just now."""
    # An extended code has the plain one in its last byte (sqlite.org/rescode.html).
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED:
        return UnreadableStateError(file, error)
    return SaveError(f"{file}: {error}")


def _write(database: sqlite3.Connection, batch: _Batch) -> None:
    removed = [each for each, text in batch.values.items() if text is None]
    kept = [(*each, text) for each, text in batch.values.items() if text is not None]
    with database:
        database.executemany("DELETE FROM record WHERE kind = ?", [(k,) for k in batch.emptied])
        database.executemany("DELETE FROM record WHERE kind = ? AND key = ?", removed)
        database.executemany("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", kept)
