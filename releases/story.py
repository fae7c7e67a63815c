"""What a release did, as its report tells it."""

from __future__ import annotations

from dataclasses import dataclass, field

from releases.canary import Sighting
from releases.versions import Versions


@dataclass(slots=True)
class Story:
    """One release's. Times are epoch seconds."""

    began: float
    told: list[tuple[float, str]] = field(default_factory=list)
    shares: list[tuple[float, float]] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    before: Versions | None = None
    target: Versions | None = None
    outcome: str = ""
    reason: str = ""
