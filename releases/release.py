"""Letting a Region's newest versions serve, so that users notice nothing but what is new.

Every step can be the last: a release that ends anyhow leaves, or puts back, what served before it.
The ledger says at each moment what that was: whoever comes next goes by it when the process, and
its watchdog, were killed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from project.console import ToolchainError
from releases.canary import Canary
from releases.events import Request
from releases.functions import FailedVersionError, MovedMeanwhileError, Reply
from releases.interfaces import Surroundings, Watchdog
from releases.ledger import (
    FIRST,
    RELEASED,
    ROLLED_BACK,
    STOPPED,
    Claim,
    Event,
    Ledger,
    Mark,
    Serving,
    before,
    iso,
    mark_of,
)
from releases.plan import Look, Plan, plan
from releases.records import ClaimedError, LostClaimError
from releases.rehearsal import Rehearsal
from releases.settings import Settings
from releases.stack import AWS_ERRORS, Stack
from releases.story import Story
from releases.verdicts import WrongError
from releases.versions import ALIAS, KINDS, Alias, Kind, Versions, fingerprint, served_by

NO_CLAIM = Claim("", "", "", 0.0, Versions(0, 0), Versions(0, 0))


class Release:
    """One Region's release. `there` is the other Region."""

    def __init__(  # noqa: PLR0913 - what it is made of, each by its name
        self,
        *,
        here: Stack,
        there: Stack,
        around: Surroundings,
        settings: Settings,
        run: str,
        who: str,
    ) -> None:
        self._here = here
        self._there = there
        self._around = around
        self._settings = settings
        self._run = run
        self._who = who
        self._held: dict[Kind, Alias] = {}
        self._claim = NO_CLAIM
        # Whether there is anything to put back, and the row that was there before.
        self._claimed = self._ended = False
        self._serving: Serving | None = None
        self.story = Story(around.wall())
        self._rehearsal = Rehearsal(here, around, run, self._renew, self._tell)

    def perform(self) -> bool:
        """Do what is left to do; True once what was asked for serves.

        Raises ToolchainError and botocore's errors where that couldn't be found out, with what
        served before serving.
        """
        look = self._look()
        match plan(look, self._around.wall()):
            case Plan.NOTHING:
                self._tell(f"{look.served.first} serves already.")
                return True
            case Plan.REFUSE:
                return self._refuse(look)
            case _:
                return self._perform(look)

    def _perform(self, look: Look) -> bool:
        left = look.ledger.claim
        claim = Claim(
            run=self._run,
            who=self._who,
            since=self._now(),
            until=0.0,
            before=left.before if left else look.served,
            target=left.target if left else look.newest,
        )
        self._claim = claim
        with (
            self._around.watchdog(self._here.region, self._run) as watchdog,
            self._sweeping(watchdog),
            self._putting_back(),
        ):
            self._take(claim, watchdog)
            if left:
                self._tell(f"A release by {left.who}, since {left.since}, broke off.")
                self._here.put_back(claim, self._tell)
            look = self._look()
            self._take(replace(claim, before=look.served, target=look.newest), watchdog)
            self._serving = look.ledger.serving
            return self._go_on(look)

    def _take(self, claim: Claim, watchdog: Watchdog) -> None:
        """Claim the Region, and from then on see that this release can be taken back."""
        self._here.records.claim(claim)
        self._claim, self._claimed = claim, True
        watchdog.about(claim)

    def _go_on(self, look: Look) -> bool:
        self.story.before, self.story.target = look.served, look.newest
        self._held = dict(look.aliases)
        match plan(look, self._around.wall()):
            case Plan.REFUSE | Plan.NOTHING as found:
                self._conclude(STOPPED, look, "nothing to move")
                return self._refuse(look) if found is Plan.REFUSE else True
            case Plan.RECORD:
                return self._record(look)
            case Plan.RETREAT:
                return self._retreat(look)
            case _:
                return self._move(look)

    @contextmanager
    def _sweeping(self, watchdog: Watchdog) -> Iterator[None]:
        """Remove in the end what its owners have left, and only then do without the watchdog.

        What couldn't be put back is left to the watchdog, too.
        """
        try:
            yield
        finally:
            self._rehearsal.sweep()
            if self._ended:
                watchdog.done()

    @contextmanager
    def _putting_back(self) -> Iterator[None]:
        """See that what served before serves again, however the block ends but well."""
        try:
            yield
        except ClaimedError:
            raise
        except (MovedMeanwhileError, LostClaimError) as error:
            self._note("stopped", str(error))
            self._abandon(str(error))
            raise
        except BaseException as error:
            reason = str(error) or type(error).__name__
            if not self._ended:
                self._note("stopped", reason)
                if self._claimed:
                    self._here.put_back(self._claim, self._tell)
                self._abandon(reason)
            raise

    def _abandon(self, reason: str) -> None:
        """End the claim with a word; a lease that can't be ended ends by itself."""
        claim = self._claim
        event = self._event(STOPPED, claim.target, claim.before, reason)
        try:
            self._here.records.conclude(self._run, event, self._serving)
        except (*AWS_ERRORS, LostClaimError) as error:
            self._tell(f"That it ended isn't written down: {error}")
        self._ended = True

    def _look(self) -> Look:
        functions = self._here.functions
        aliases, newest = functions.aliases(), functions.newest()
        ours, theirs = self._here.records.read(), self._there.ledger(self._tell)
        name = fingerprint(functions.facts(newest))
        return Look(aliases, newest, name, ours, mark_of(name, (ours, theirs)))

    def _refuse(self, look: Look) -> bool:
        mark = look.mark
        assert mark is not None
        reason = (
            f"{look.newest.first} was rolled back in {mark.region} at {mark.at}: {mark.reason} "
            f"{look.served.first} serves on. Change the code, or revert it, and apply again; or "
            f"try this one on purpose: make rollback REGION={self._here.region} "
            f"VERSION={look.newest.api}, which takes the mark away."
        )
        self._note("refused", reason)
        self._tell(reason)
        return False

    def _record(self, look: Look) -> bool:
        """See that what serves already works, and write it down: a first deployment."""
        self._here.functions.await_active(look.newest, self._renew)
        if wrong := self._rehearsal.wrong(look.newest):
            raise WrongFirstError(
                f"{look.newest.first} serves in {self._here.region}, and fails its smoke test: "
                f"{wrong}."
            )
        was = look.ledger.serving
        self._conclude(FIRST, look, before_it=was.versions if was else None)
        self._tell(f"{look.newest.first} serves, and has passed its smoke test.")
        return True

    def _retreat(self, look: Look) -> bool:
        """Leave what the other Region has rolled back."""
        earlier = before(look.ledger, look.served)
        assert earlier is not None
        assert look.mark is not None
        self._held = self._here.let_serve(self._held, earlier, self._tell)
        event = self._event(ROLLED_BACK, look.served, earlier, look.mark.reason)
        self._end(event, _back_at(self._here, look.ledger, earlier, event.at))
        return self._refuse(replace(look, aliases=self._held))

    def _move(self, look: Look) -> bool:
        self._tell(f"{look.newest.first} is to serve in {self._here.region} after {look.served}.")
        try:
            self._await_active(look.newest)
            self._rehearsal.judge(look.newest, look.served)
            if self._around.has_users(self._here.region):
                self._meet_users(look)
            else:
                self._shift(look.newest)
                self._rehearsal.by_name()
        except WrongError as error:
            return self._reject(look, str(error))
        self._conclude(RELEASED, look, before_it=look.served)
        self._note("released", "")
        self._tell(f"{look.newest.first} serves in {self._here.region}.")
        return True

    def _await_active(self, versions: Versions) -> None:
        try:
            self._here.functions.await_active(versions, self._renew)
        except FailedVersionError as error:
            raise WrongError(str(error)) from error

    def _renew(self) -> None:
        self._here.records.renew(self._run)

    def _meet_users(self, look: Look) -> None:
        if not self._settings.bake_seconds:
            self._shift(look.newest)
            return
        share = self._settings.canary_percent / 100
        provisioned = [
            kind for kind in KINDS if self._here.functions.has_provisioned_concurrency(kind)
        ]
        at_once = bool(provisioned) or share >= 1
        canary = self._canary(look, at_once=at_once)
        canary.begin()
        if provisioned:
            self._tell("Provisioned concurrency excludes shares: it moves at once, and is watched.")
        if at_once:
            self._shift(look.newest)
        else:
            self._share(look, share)
        try:
            canary.bake(self._settings.bake_seconds)
        finally:
            self.story.sightings = canary.sightings
        if not at_once:
            self._shift(look.newest)

    def _canary(self, look: Look, *, at_once: bool) -> Canary:
        username = self._rehearsal.new_owner()

        def call(kind: Kind, request: Request) -> Reply:
            named = None if kind == "health" else username
            return self._around.direct(self._here, kind, ALIAS)(request, named)

        return Canary(
            metrics=self._here.metrics,
            new=look.newest,
            old=look.served,
            call=call,
            renew=self._renew,
            pause=self._around.pause,
            wall=self._around.wall,
            at_once=at_once,
        )

    def _share(self, look: Look, share: float) -> None:
        for kind in KINDS:
            new, old = look.newest.of(kind), look.served.of(kind)
            if new != old:
                moved = self._here.functions.move(kind, self._held[kind], old, {new: share})
                self._held[kind] = moved
        self.story.shares.append((self._around.wall(), share))
        self._here.draw(self._tell)
        self._tell(
            f"{look.newest.first} gets {100 * share:g} % of the calls for "
            f"{self._settings.bake_minutes:g} minutes."
        )

    def _shift(self, versions: Versions) -> None:
        self._held = self._here.let_serve(self._held, versions, self._tell)
        self.story.shares.append((self._around.wall(), 1.0))
        self._tell(f"{versions.first} gets every call.")

    def _reject(self, look: Look, reason: str) -> bool:
        self._tell(f"{look.newest.first} is no good. {reason}")
        self._here.put_back(self._claim, self._tell)
        self.story.shares.append((self._around.wall(), 0.0))
        self._note("rolled back", reason)
        was = fingerprint(self._here.functions.facts(look.served))
        # The same code and settings serve already: it can't be their doing.
        mark = (
            Mark(look.fingerprint, self._now(), self._here.region, look.newest, reason)
            if look.fingerprint != was
            else None
        )
        event = self._event(ROLLED_BACK, look.newest, look.served, reason)
        self._end(event, mark=mark)
        if mark:
            self._reject_there(mark)
        return False

    def _reject_there(self, mark: Mark) -> None:
        """Let the other Region leave it, too, where it serves there."""
        there = self._there
        try:
            roll_back_there(there, mark, self._run, self._who, self._tell)
        except (*AWS_ERRORS, ToolchainError) as error:
            self._tell(
                f"{there.region} may serve it still, and couldn't be rolled back: {error}\n"
                f"make rollback REGION={there.region} does that."
            )

    def _conclude(
        self, what: str, look: Look, reason: str = "", before_it: Versions | None = None
    ) -> None:
        event = self._event(what, look.newest, before_it, reason)
        serving = (
            Serving(look.newest, look.fingerprint, event.at, before_it)
            if what in {FIRST, RELEASED}
            else None
        )
        self._end(event, serving)

    def _end(self, event: Event, serving: Serving | None = None, mark: Mark | None = None) -> None:
        """Write down what it came to: from then on there is nothing to put back."""
        self._here.records.conclude(self._run, event, serving, mark)
        self._ended = True

    def _event(
        self, what: str, versions: Versions, before_it: Versions | None, reason: str
    ) -> Event:
        return Event(self._now(), self._run, what, self._who, versions, before_it, reason)

    def _note(self, outcome: str, reason: str) -> None:
        self.story.outcome, self.story.reason = outcome, reason

    def _tell(self, what: str) -> None:
        self.story.told.append((self._around.wall(), what))
        self._around.tell(what)

    def _now(self) -> str:
        return iso(self._around.wall())


class WrongFirstError(ToolchainError):
    """What serves since the first deployment fails, and nothing served before it."""


def roll_back_there(
    stack: Stack, mark: Mark, run: str, who: str, tell: Callable[[str], None]
) -> None:
    """Leave what is marked in a Region where it serves, for what served before it.

    Raises ToolchainError where that isn't known, and botocore's errors as they are.
    """
    aliases = stack.functions.aliases()
    served = served_by(aliases)
    if fingerprint(stack.functions.facts(served)) != mark.fingerprint:
        return
    ledger = stack.records.read()
    earlier = before(ledger, served)
    if earlier is None:
        raise ToolchainError(f"Nothing says what served in {stack.region} before {served}.")
    stack.let_serve(aliases, earlier, tell)
    tell(f"{stack.region}: {earlier} serves again.")
    event = Event(mark.at, run, ROLLED_BACK, who, served, earlier, mark.reason)
    stack.records.conclude(None, event, _back_at(stack, ledger, earlier, mark.at))


def _back_at(stack: Stack, ledger: Ledger, earlier: Versions, at: str) -> Serving:
    name = fingerprint(stack.functions.facts(earlier))
    return Serving(earlier, name, at, before(ledger, earlier))
