"""The note of what a drill or a load run has still to roll back, written before it is done.

It outlives the process: the watchdog reads it when the process is killed, and the next of its kind
when both were.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from drills import faults, test_users
from drills.faults import Fault
from drills.system import System
from project.console import ToolchainError, say
from project.file_lock import exclusive
from project.paths import TREE, write_atomically

DRILLS = "drills"


def note_of(account_name: str, room: str = DRILLS) -> Path:
    """Name the file that an account's drills, or another room's runs, leave their note in."""
    return TREE.local_state / room / f"{account_name}.json"


@dataclass(slots=True)
class RollbackLog:
    """Faults to unmake and users to remove; the file is there while there are any."""

    path: Path
    process: int = field(default_factory=os.getpid)
    _faults: list[dict[str, Any]] = field(default_factory=list)
    _usernames: list[str] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def read(self) -> bool:
        """Take up what an earlier process left; False when it left nothing."""
        if not self.path.is_file():
            return False
        document = json.loads(self.path.read_bytes())
        self.process = document["process"]
        self._faults, self._usernames = document["faults"], document["usernames"]
        return True

    def make(self, system: System, fault: Fault) -> None:
        """Make a fault, noted first."""
        with self._lock:
            self._faults.append(faults.to_note(fault))
            self._write()
        fault.make(system)

    def expect(self, username: str) -> None:
        """Note a user who is about to be made."""
        with self._lock:
            self._usernames.append(username)
            self._write()

    def heal(self, system: System) -> None:
        """Unmake every fault, the last first. Raises ToolchainError with those that resist."""
        self._roll_back(self._faults, lambda note: faults.from_note(note).unmake(system))

    def all(self, system: System) -> None:
        """Unmake every fault and remove every user. Raises ToolchainError as `heal` does."""
        self.heal(system)
        self._roll_back(self._usernames, lambda username: test_users.remove(system, username))

    def _roll_back(self, notes: list[Any], rollback: Callable[[Any], None]) -> None:
        with self._lock:
            resisting = []
            for note in reversed(list(notes)):
                try:
                    rollback(note)
                except (BotoCoreError, ClientError, ToolchainError) as error:
                    resisting.append(f"{note}: {error}")
                else:
                    notes.remove(note)
                    self._write()
        if resisting:
            raise ToolchainError(
                "This could not be rolled back:\n  " + "\n  ".join(resisting) + f"\nIt is noted in "
                f"{self.path}; the next run against this account tries again before it begins."
            )

    def _write(self) -> None:
        if not self._faults and not self._usernames:
            self.path.unlink(missing_ok=True)
            return
        document = {
            "process": self.process,
            "faults": self._faults,
            "usernames": self._usernames,
        }
        write_atomically(self.path, json.dumps(document).encode(), mode=0o600)


def roll_back_leftovers(system: System, process: int | None = None, room: str = DRILLS) -> None:
    """Roll back what a killed run left, if anything; with `process`, only that one's.

    Raises ToolchainError with what can't be rolled back.
    """
    name = system.account.name
    left = RollbackLog(note_of(name, room))
    with exclusive(TREE.lock(f"rollback-{name}"), "clean-up after a run"):
        if left.read() and process in {None, left.process}:
            say("The run before this one did not end by itself: rolling back what it left.")
            left.all(system)
