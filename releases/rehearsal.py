"""Smoke tests of a Region's versions: throw-away owners meet them before users do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from releases import smoke
from releases.events import Request
from releases.functions import Reply
from releases.interfaces import Surroundings
from releases.smoke import Journey, Send, Writes
from releases.stack import AWS_ERRORS, Stack, Tell
from releases.verdicts import CouldNotJudgeError, WrongError
from releases.versions import Kind, Versions


@dataclass(slots=True)
class Rehearsal:
    """Those of one run; `renew` says that it still runs."""

    stack: Stack
    around: Surroundings
    run: str
    renew: Callable[[], None]
    tell: Tell
    _owners: int = 0

    def new_owner(self) -> str:
        """Give a username that nobody has had."""
        self._owners += 1
        return smoke.username(self.run, self._owners - 1)

    def wrong(self, versions: Versions) -> str:
        """Say what goes wrong with versions, called as the gateway does; empty for nothing."""
        return _first_wrong(self._direct(versions, self._writes()))

    def judge(self, new: Versions, served: Versions) -> None:
        """Call both by turns.

        Raises WrongError where the new one fails or is slower, CouldNotJudgeError where what serves
        fails as well.
        """
        writes = self._writes()
        if wrong := _first_wrong(self._direct(new, writes)):
            if theirs := _first_wrong(self._direct(served, writes)):
                raise CouldNotJudgeError(
                    f"The smoke test fails ({wrong}), and so it does with what serves ({theirs})."
                )
            raise WrongError(f"The smoke test fails: {wrong}.")
        # What serves is called once, too, before any call is timed: its start is none of it.
        self._direct(served, writes)
        self._time(new, served, writes)
        self.tell(f"{new.first} has passed its smoke test.")

    def by_name(self) -> None:
        """Ask at the Region's own name, where it has one. Raises WrongError."""
        owner = self.new_owner()
        with self.around.by_name(self.stack.region, owner) as send:
            if send is None:
                self.tell(f"{self.stack.region} has no name yet that could be asked.")
                return
            if wrong := _first_wrong(self._journeys(send, owner, self._writes())):
                raise WrongError(f"The smoke test at the Region's own name: {wrong}.")
        self.tell("The smoke test at the Region's own name has passed, too.")

    def sweep(self) -> None:
        """Remove what its owners have left."""
        used = [smoke.username(self.run, place) for place in range(self._owners)]
        if not used:
            return
        try:
            self.around.sweep(self.stack.region, used)
        except AWS_ERRORS as error:
            self.tell(f"Rows of throw-away owners may be left: {error}")

    def _time(self, new: Versions, served: Versions, writes: Writes) -> None:
        ours: list[Journey] = []
        theirs: list[Journey] = []
        slow = ""
        # The second time only where the first looked slow: a busy minute is no slow version.
        for _ in range(2):
            for _ in range(smoke.ROUNDS):
                ours += self._direct(new, writes)
                theirs += self._direct(served, writes)
            slow = smoke.slower(smoke.timings(ours), smoke.timings(theirs))
            if not slow:
                return
        raise WrongError(f"It is slower than what serves: {slow}.")

    def _writes(self) -> Writes:
        return self.around.writes(self.stack.region)

    def _direct(self, versions: Versions, writes: Writes) -> list[Journey]:
        def send(request: Request, username: str | None) -> Reply:
            kind: Kind = "health" if username is None else "api"
            qualifier = str(versions.of(kind))
            return self.around.direct(self.stack, kind, qualifier)(request, username)

        return self._journeys(send, self.new_owner(), writes)

    def _journeys(self, send: Send, owner: str, writes: Writes) -> list[Journey]:
        self.renew()
        region = self.stack.region
        return [
            Journey(send, "", region, writes).health(),
            Journey(send, owner, region, writes).users(),
        ]


def _first_wrong(journeys: list[Journey]) -> str:
    return next((each.wrong for each in journeys if each.wrong), "")
