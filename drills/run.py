"""Runs one experiment from steady state to clean-up; what it saw is a history."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from drills import alarms, audit, cleanup_watchdog, test_users, watchers
from drills.experiment import Expectation, Experiment
from drills.faults import Fault, Takeover
from drills.history import Change, History, Kind, Moment, Snapshot
from drills.journal import Journal
from drills.lag import Markers
from drills.progress import Display
from drills.rollback_log import RollbackLog, note_of
from drills.system import System
from drills.targets import MARGIN
from drills.test_users import User
from drills.traffic import Traffic
from project.paths import TREE

USERS = 4
STEADY_SECONDS = 15.0
# How long the standby is looked at once it serves, and the primary once it is back.
HOLD_SECONDS = 10.0
# For retries under way, and for the Regions to agree.
DRAIN_SECONDS = 30.0
SETTLE_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 0.1


@dataclass(slots=True)
class Drill:
    """One run under way."""

    experiment: Experiment
    system: System
    journal: Journal
    rollback: RollbackLog
    users: Sequence[User]
    display: Display
    at_takeover: Snapshot | None = None

    def perform(self) -> None:
        """Break, watch, heal, watch."""
        self.display.phase("steady state")
        self._pause(STEADY_SECONDS)
        if self.experiment.expects is Expectation.STAYS:
            self._flap(self._made())
        else:
            self._break(self._made())
        self._await_failback()
        self._pause(HOLD_SECONDS)

    def _made(self) -> Sequence[Fault]:
        return self.experiment.faults(self.system)

    def _break(self, faults: Sequence[Fault]) -> None:
        self.display.phase("broken", self.system.targets.rto_seconds)
        self.journal.moment(Moment.FAULT)
        for fault in faults:
            self.rollback.make(self.system, fault)
        if self.experiment.expects is Expectation.MOVES:
            self._await_takeover()
        else:
            self._await(self._nobody_is_ready)
        self._pause(HOLD_SECONDS)
        self._heal(faults)

    def _await_takeover(self) -> None:
        """Wait until the standby serves; what it lacks at that moment is what the move costs."""
        standby = self.system.standby
        if self._await(lambda: self._served_by(standby, Moment.FAULT)):
            self.journal.moment(Moment.TAKEOVER)
            self.display.phase("served by the standby")
            self.at_takeover = audit.snapshot(self.system, standby, self.users, self.journal)

    def _flap(self, faults: Sequence[Fault]) -> None:
        away, back = self._absence_seconds(), 1.2 * self.system.targets.interval_seconds
        for number in range(1, self.experiment.rounds + 1):
            self.display.phase(f"away, {number} of {self.experiment.rounds}")
            if number == 1:
                self.journal.moment(Moment.FAULT)
            for fault in faults:
                self.rollback.make(self.system, fault)
            self._pause(away)
            self.display.phase(f"back, {number} of {self.experiment.rounds}")
            self.rollback.heal(self.system)
            if number < self.experiment.rounds:
                self._pause(back)
        self.journal.moment(Moment.HEALED)

    def _absence_seconds(self) -> float:
        """So long that a move would be seen; or that each checker finds it so once, not oftener."""
        targets = self.system.targets
        if self.experiment.lasts_long:
            return MARGIN * targets.limit_seconds + HOLD_SECONDS
        return 1.2 * targets.interval_seconds

    def _heal(self, faults: Sequence[Fault]) -> None:
        """Unmake the faults; a planned move ends as it is ended, not as one that was broken off."""
        self.display.phase("healing")
        self.journal.moment(Moment.HEALING)
        for fault in faults:
            if isinstance(fault, Takeover):
                fault.give_back(self.system)
        self.rollback.heal(self.system)
        self.journal.moment(Moment.HEALED)

    def _await_failback(self) -> None:
        self.display.phase("failback", self.system.targets.patience_seconds)
        if self._await(lambda: self._served_by(self.system.primary, Moment.HEALED)):
            self.journal.moment(Moment.FAILBACK)
            self.display.phase("healed")

    def _served_by(self, region: str, since: Moment) -> bool:
        began = self.journal.moments[since]
        kinds = {
            each.kind
            for each in reversed(list(self.journal.attempts))
            if each.sent >= began and each.good and each.region == region
        }
        return Kind.READ in kinds and any(kind.writes for kind in kinds)

    def _nobody_is_ready(self) -> bool:
        seen = {
            change.subject: change.seen
            for change in list(self.journal.changes)
            if change.subject.endswith("/health/ready")
        }
        return len(seen) == len(self.system.regions) and set(seen.values()) == {"does not answer"}

    def _await(self, condition: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + self.system.targets.patience_seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            self._pause(LOOK_AGAIN_SECONDS)
        return True

    def _pause(self, seconds: float) -> None:
        # The time itself is the point: traffic goes on in it.
        time.sleep(seconds)


def run(experiment: Experiment, system: System, folder: Path) -> History:
    """Run an experiment against a system in its steady state, and leave the system as it was.

    Raises ToolchainError when something can't be rolled back, and whatever stops it half-way, after
    having rolled back everything.
    """
    began, started = time.monotonic(), datetime.now(UTC)
    journal = Journal(folder, lambda: time.monotonic() - began)
    rollback = RollbackLog(note_of(system.account.name))
    with ExitStack() as stack:
        stack.callback(journal.close)
        stack.enter_context(cleanup_watchdog.watching(system))
        stack.callback(rollback.all, system)
        users = _users(system, rollback)
        display = stack.enter_context(Display(experiment.name, journal, system.primary))
        drill = Drill(experiment, system, journal, rollback, users, display)
        with _watched(system, journal), _markers(system, journal, rollback):
            traffic = Traffic(
                system.deployment.api_url, _verify(system), users, journal, experiment.per_second
            )
            with traffic.flowing():
                try:
                    drill.perform()
                finally:
                    # Before the last retries, so that they find a healthy system.
                    rollback.heal(system)
                display.phase("last retries")
                traffic.finish(DRAIN_SECONDS)
            journal.moment(Moment.END)
            display.phase("comparing the Regions")
            in_the_end = audit.settled(system, users, journal, SETTLE_SECONDS)
        return _history(drill, in_the_end, alarms.changes(system, started))


def _history(
    drill: Drill, in_the_end: Sequence[Snapshot], alarms_seen: Sequence[Change]
) -> History:
    journal = drill.journal
    return History(
        primary=drill.system.primary,
        standby=drill.system.standby,
        attempts=tuple(journal.attempts),
        acknowledged=tuple(journal.acknowledged),
        moments=dict(journal.moments),
        changes=tuple(journal.changes),
        lags=tuple(journal.lags),
        alarms=tuple(alarms_seen),
        at_takeover=drill.at_takeover,
        in_the_end=tuple(in_the_end),
    )


def _users(system: System, rollback: RollbackLog) -> list[User]:
    made = []
    for _ in range(USERS):
        username = test_users.new_username()
        rollback.expect(username)
        made.append(test_users.sign_up_and_in(system, username))
    return made


def _markers(
    system: System, journal: Journal, rollback: RollbackLog
) -> AbstractContextManager[None]:
    return Markers(system, journal, test_users.new_username(), rollback).flowing()


@contextmanager
def _watched(system: System, journal: Journal) -> Iterator[None]:
    domain = system.account.domain_name
    hosts = [f"{region}.{domain}" for region in system.regions]
    shown = [
        *watchers.health_checks(system.route53(), hosts),
        watchers.failover_record(domain, system.regions),
    ]
    with watchers.following(shown, lambda watcher, seen: journal.change(watcher.subject, seen)):
        yield


def _verify(system: System) -> str | bool:
    """The emulator's certificate authority, read by each connection; for an account, any."""
    return str(TREE.ca) if system.on_emulator else True
