"""What a Region's release has to do, from what was read: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from releases.ledger import Ledger, Mark, before
from releases.versions import KINDS, Alias, Kind, Versions, served_by


@dataclass(frozen=True, slots=True)
class Look:
    """What a Region has: where the aliases lead, the newest versions, what is written of them.

    `fingerprint` is that of the newest versions, and `mark` says whether they were rolled back.
    """

    aliases: Mapping[Kind, Alias]
    newest: Versions
    fingerprint: str
    ledger: Ledger
    mark: Mark | None

    @property
    def served(self) -> Versions:
        """The versions that get the calls, or most of them."""
        return served_by(self.aliases)

    @property
    def shared(self) -> bool:
        """Whether an alias gives a share of its calls to a second version."""
        return any(self.aliases[kind].weights for kind in KINDS)


class Plan(Enum):
    """What is to be done."""

    NOTHING = "the newest versions serve"
    REPAIR = "a release died in the middle: what served before it has to be let serve again"
    RECORD = "the newest versions serve, and nothing says that they were ever looked at"
    REFUSE = "the newest versions were rolled back"
    RETREAT = "the newest versions serve here, and the other Region has rolled them back"
    MOVE = "the newest versions have to be let serve"


def plan(look: Look, now: float) -> Plan:
    """Decide. `now` is in epoch seconds."""
    claim = look.ledger.claim
    if claim and not claim.is_live(now):
        return Plan.REPAIR
    if look.served == look.newest and not look.shared:
        serving = look.ledger.serving
        known = serving is not None and serving.versions == look.newest
        if look.mark and before(look.ledger, look.newest):
            return Plan.RETREAT
        return Plan.NOTHING if known and claim is None else Plan.RECORD
    return Plan.REFUSE if look.mark else Plan.MOVE
