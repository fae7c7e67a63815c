"""`make releases`: what serves where since when, and what was rolled back and why. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from releases.ledger import Event
from releases.plan import Look

SHOWN_EVENTS = 8


def listed(region: str, role: str, look: Look, now: float) -> str:
    """Describe a Region. `now` is in epoch seconds."""
    return "\n".join([f"{region} ({role})", *(f"  {line}" for line in _lines(look, now))])


def _lines(look: Look, now: float) -> Iterator[str]:
    serving = look.ledger.serving
    since = f" since {serving.since}" if serving and serving.versions == look.served else ""
    yield f"serves {look.served}{since}"
    for kind, alias in look.aliases.items():
        for version, share in alias.weights.items():
            yield f"and {kind} version {version} gets {100 * share:g} % of its calls"
    if serving and serving.versions != look.served:
        yield (
            f"but the last release was of {serving.versions}, at {serving.since}: somebody has "
            "moved the alias, or a release broke off"
        )
    if serving and serving.before:
        yield f"before: {serving.before} (make rollback)"
    yield from _newest(look)
    yield from _running(look, now)
    yield from _history(look.ledger.events)


def _newest(look: Look) -> Iterator[str]:
    if look.newest == look.served and not look.mark:
        return
    if look.mark:
        yield (
            f"newest: {look.newest}, rolled back in {look.mark.region} at {look.mark.at}: "
            f"{look.mark.reason}"
        )
    else:
        yield f"newest: {look.newest}, which the next apply lets serve"


def _running(look: Look, now: float) -> Iterator[str]:
    claim = look.ledger.claim
    if claim is None:
        return
    if claim.is_live(now):
        yield f"a release of {claim.target} runs since {claim.since}, by {claim.who}"
    else:
        yield (
            f"a release of {claim.target} since {claim.since}, by {claim.who}, broke off: the next "
            "apply, or make rollback, puts right what it left"
        )


def _history(events: Sequence[Event]) -> Iterator[str]:
    for event in reversed(events[-SHOWN_EVENTS:]):
        reason = f": {event.reason}" if event.reason else ""
        yield f"{event.at}  {event.what} {event.versions}{reason}"
