"""Whether a new version does worse than the old one beside it: pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, lgamma

from releases.smoke import SLOWER_MS, SLOWER_TIMES

# How likely the difference may be by chance alone before it counts. A canary is looked at forty
# times in ten minutes, so that one in a hundred would stop many a good release.
CHANCE = 0.001
# A difference that matters: less of it is within what users are promised (availability_objective).
MATTERS = 0.001
# Fewer calls than this say nothing of a median.
MIN_TIMED = 20


@dataclass(frozen=True, slots=True)
class Counts:
    """What one version of one function did since the canary began.

    `errors` are calls that failed (AWS/Lambda, Errors), `server_errors` answers with a 5XX that the
    function counts itself. Median in milliseconds; None where nothing was called.
    """

    calls: int = 0
    errors: int = 0
    server_errors: int = 0
    median_ms: float | None = None

    @property
    def failures(self) -> int:
        """Calls that were no good, whichever way."""
        return min(self.calls, self.errors + self.server_errors)

    @property
    def share(self) -> float:
        """The share of calls that were no good."""
        return self.failures / self.calls if self.calls else 0.0

    def at_least(self, calls: int, failures: int) -> Counts:
        """Make them what was seen from here, where the metrics say less so far."""
        return replace(
            self,
            calls=max(self.calls, calls),
            errors=max(self.errors, failures - self.server_errors),
        )

    def without(self, earlier: Counts) -> Counts:
        """Take away what was there before the canary began."""
        return replace(
            self,
            calls=max(0, self.calls - earlier.calls),
            errors=max(0, self.errors - earlier.errors),
            server_errors=max(0, self.server_errors - earlier.server_errors),
        )


def worse(new: Counts, old: Counts) -> str:
    """Say in what the new version does worse; empty where it doesn't, or nobody can know."""
    if new.share - old.share >= MATTERS and chance(new, old) < CHANCE:
        return (
            f"{new.failures} of {new.calls} calls of the new version failed, and {old.failures} of "
            f"{old.calls} of the old one's"
        )
    if new.median_ms is None or old.median_ms is None or min(new.calls, old.calls) < MIN_TIMED:
        return ""
    if new.median_ms > SLOWER_TIMES * old.median_ms + SLOWER_MS:
        return (
            f"calls of the new version take {new.median_ms:.0f} ms in the middle, and "
            f"{old.median_ms:.0f} ms those of the old one"
        )
    return ""


def chance(new: Counts, old: Counts) -> float:
    """Tell how likely so many failures are the new version's share by chance (Fisher's exact test).

    Where both do equally badly it isn't the release's doing.
    """
    failures, calls = new.failures + old.failures, new.calls + old.calls
    if not new.failures:
        return 1.0
    every = _log_ways(calls, new.calls)
    return sum(
        exp(_log_ways(failures, count) + _log_ways(calls - failures, new.calls - count) - every)
        for count in range(new.failures, min(failures, new.calls) + 1)
        if new.calls - count <= calls - failures
    )


def _log_ways(of: int, chosen: int) -> float:
    """Give the logarithm of a binomial coefficient: millions of calls have no room in a number."""
    return lgamma(of + 1) - lgamma(chosen + 1) - lgamma(of - chosen + 1)
