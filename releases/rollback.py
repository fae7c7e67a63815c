"""`make rollback`: the versions before serve again, in seconds, without Terraform and its state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from project.console import ToolchainError
from releases.ledger import CHOSEN, ROLLED_BACK, Event, Ledger, Mark, Serving, before, iso
from releases.records import LostClaimError
from releases.stack import AWS_ERRORS, Stack
from releases.versions import Alias, Kind, Versions, fingerprint, served_by


@dataclass(frozen=True, slots=True)
class Leaving:
    """What a Region serves, or tries, and since when (ISO 8601; empty where nobody knows)."""

    fingerprint: str
    since: str


def concerned(found: Mapping[str, Leaving]) -> set[str]:
    """Name the Regions that have to leave the last release.

    All where the same serves; where they differ, as a release has come to one only, those that have
    it: the others serve already what served before.
    """
    last = max(found.values(), key=lambda each: each.since, default=None)
    return {
        region for region, each in found.items() if last and each.fingerprint == last.fingerprint
    }


@dataclass(frozen=True, slots=True)
class Rollback:
    """One Region's. `version` is the users' function's that is wanted, None for the one before.

    `there` is the other Region, whose mark of what is wanted goes as well.
    """

    stack: Stack
    there: Stack
    run: str
    who: str
    tell: Callable[[str], None]
    wall: Callable[[], float]
    version: int | None = None

    def perform(self) -> Versions:
        """Move the aliases, and give what serves then.

        A release that runs, or broke off, is ended by it. Raises ToolchainError where nobody knows
        what to go back to, botocore's errors where the Region's functions can't be reached.
        """
        stack, ledger = self.stack, self._ledger()
        aliases = stack.functions.aliases()
        served = served_by(aliases)
        target = self._target(ledger, aliases, served)
        shared = any(alias.weights for alias in aliases.values())
        left = self._left(ledger, served, shared=shared)
        stack.let_serve(aliases, target, self.tell)
        self.tell(f"{stack.region}: {target} serves.")
        try:
            self._write_down(ledger, left, target)
        except AWS_ERRORS as error:
            self.tell(
                f"{stack.region}: that couldn't be written down, so that the next apply may bring "
                f"{left} back: {error}"
            )
        return target

    def leaving(self) -> Leaving:
        """Tell what it would leave, without moving anything. Raises as `perform`."""
        ledger, aliases = self._ledger(), self.stack.functions.aliases()
        served = served_by(aliases)
        shared = any(alias.weights for alias in aliases.values())
        left = self._left(ledger, served, shared=shared)
        name = fingerprint(self.stack.functions.facts(left))
        if ledger.claim:
            return Leaving(name, ledger.claim.since)
        return Leaving(name, ledger.serving.since if ledger.serving else "")

    def _ledger(self) -> Ledger:
        """What is written, in whichever replica can be read."""
        try:
            return self.stack.ledger(self.tell)
        except AWS_ERRORS:
            self.tell("The table can't be read in either Region.")
            return Ledger()

    def _target(self, ledger: Ledger, aliases: dict[Kind, Alias], served: Versions) -> Versions:
        if self.version is not None:
            return self._chosen(ledger, aliases, self.version)
        claim = ledger.claim
        if claim and served == claim.target != claim.before:
            return claim.before
        if any(alias.weights for alias in aliases.values()):
            return served
        earlier = before(ledger, served)
        if earlier is None:
            published = sorted(self.stack.functions.published("api"))
            raise ToolchainError(
                f"Nothing says what served in {self.stack.region} before {served}. Published are "
                f"{', '.join(map(str, published))}: make rollback REGION={self.stack.region} "
                "VERSION=, one of them."
            )
        return earlier

    def _chosen(self, ledger: Ledger, aliases: dict[Kind, Alias], version: int) -> Versions:
        """The version of the users' function that was asked for, and the other one beside it."""
        functions = self.stack.functions
        if version not in functions.published("api"):
            raise ToolchainError(f"{functions.name('api')} has no published version {version}.")
        known = [event.versions for event in ledger.events if event.versions.api == version]
        known += [mark.versions for mark in ledger.marks if mark.region == self.stack.region]
        found = next((each for each in reversed(known) if each.api == version), None)
        return found or functions.companion(version, aliases["health"].version)

    def _left(self, ledger: Ledger, served: Versions, *, shared: bool) -> Versions:
        """What is left: what served, or what was being tried beside it."""
        return ledger.claim.target if shared and ledger.claim else served

    def _write_down(self, ledger: Ledger, left: Versions, target: Versions) -> None:
        functions, now = self.stack.functions, iso(self.wall())
        theirs, ours = fingerprint(functions.facts(left)), fingerprint(functions.facts(target))
        back = target.api < left.api
        reason = f"make rollback, by {self.who.partition(',')[0]}."
        mark = None
        if back and theirs != ours:
            mark = Mark(theirs, now, self.stack.region, left, reason)
        serving = Serving(target, ours, now, before(ledger, target) if back else left)
        event = Event(
            now, self.run, ROLLED_BACK if back else CHOSEN, self.who, left if back else target,
            target if back else left, reason,
        )  # fmt: skip
        self._unmark(ours)
        run = ledger.claim.run if ledger.claim else None
        try:
            self.stack.records.conclude(run, event, serving, mark)
        except LostClaimError:
            self.stack.records.conclude(None, event, serving, mark)

    def _unmark(self, name: str) -> None:
        """Take every mark of it away: it is wanted."""
        self.stack.records.unmark(name)
        try:
            self.there.records.unmark(name)
        except AWS_ERRORS as error:
            self.tell(f"{self.there.region} may still have it marked as rolled back: {error}")
