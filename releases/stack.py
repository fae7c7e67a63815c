"""One Region as a release sees it, and moves of its aliases that can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from releases.functions import Functions
from releases.ledger import Claim, Ledger
from releases.metrics import Metrics
from releases.records import Records
from releases.versions import KINDS, Alias, Kind, Versions

Tell = Callable[[str], None]
AWS_ERRORS = (BotoCoreError, ClientError)


@dataclass(frozen=True, slots=True)
class Stack:
    """A Region's functions, rows and metrics. `copy` reads the same rows in the other replica."""

    region: str
    functions: Functions
    records: Records
    copy: Records
    metrics: Metrics

    def ledger(self, tell: Tell) -> Ledger:
        """Read what is written of this Region; the other replica's copy where its own is lost."""
        try:
            return self.records.read()
        except AWS_ERRORS:
            tell(
                f"The table in {self.region} can't be reached: what was written there in the last "
                "moments may not be known here."
            )
            return self.copy.read()

    def let_serve(
        self, aliases: Mapping[Kind, Alias], versions: Versions, tell: Tell
    ) -> dict[Kind, Alias]:
        """Give versions every call, from where the aliases were read to lead.

        Raises MovedMeanwhileError where somebody else has moved one.
        """
        moved: dict[Kind, Alias] = {}
        for kind in KINDS:
            at = aliases[kind]
            there = at.version == versions.of(kind) and not at.weights
            moved[kind] = at if there else self.functions.move(kind, at, versions.of(kind))
        self.draw(tell)
        return moved

    def put_back(self, claim: Claim, tell: Tell) -> bool:
        """Let what served before a release serve again; False where nothing had to be moved.

        An alias that leads elsewhere was moved by somebody else, and is left there.
        """
        found = False
        for kind in KINDS:
            alias = self.functions.alias(kind)
            if alias.version == claim.before.of(kind) and not alias.weights:
                continue
            known = {claim.before.of(kind), claim.target.of(kind)}
            if {alias.version, *alias.weights} <= known:
                self.functions.move(kind, alias, claim.before.of(kind))
                found = True
            else:
                tell(
                    f"{self.functions.name(kind)} leads to version {alias.version}: it is left so."
                )
        if found:
            self.draw(tell)
            tell(f"{self.region}: {claim.before} serves again.")
        return found

    def draw(self, tell: Tell) -> None:
        """Draw a move on the dashboards; a release doesn't depend on that."""
        try:
            self.metrics.mark_release()
        except AWS_ERRORS as error:
            tell(f"The dashboards of {self.region} won't show this moment: {error}")
