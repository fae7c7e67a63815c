"""Whether a version does worse than the one beside it."""

from __future__ import annotations

from math import comb

import pytest

from releases.judgement import Counts, chance, worse


@pytest.mark.parametrize(
    ("new", "old"),
    [
        (Counts(0), Counts(0)),
        (Counts(0), Counts(1000)),
        (Counts(50), Counts(500)),
        # One failure says nothing, nor do two of few.
        (Counts(1, 1), Counts(9)),
        (Counts(10, 2), Counts(90)),
        # Both do as badly: it isn't the release.
        (Counts(100, 100), Counts(900, 900)),
        (Counts(100, 0, 30), Counts(900, 0, 280)),
        # More than chance, and less than matters: of a million, 60 in place of 30 in 100,000.
        (Counts(1_000_000, 600), Counts(9_000_000, 2_700)),
        # Slow, but too few to say so, or not by enough.
        (Counts(19, median_ms=900), Counts(900, median_ms=20)),
        (Counts(100, median_ms=85), Counts(900, median_ms=20)),
    ],
)
def test_it_does_no_worse(new: Counts, old: Counts) -> None:
    assert worse(new, old) == ""


@pytest.mark.parametrize(
    ("new", "old", "reason"),
    [
        (Counts(10, 3), Counts(90), "3 of 10 calls of the new version failed, and 0 of 90"),
        (Counts(3, 0, 3), Counts(27), "3 of 3 calls of the new version failed"),
        (Counts(100, 3, 3), Counts(900, 2), "6 of 100 calls of the new version failed"),
        (Counts(580_000, 5_800), Counts(3_000_000, 300), "5800 of 580000"),
        (Counts(20, median_ms=91), Counts(200, median_ms=20), "take 91 ms in the middle, and 20"),
    ],
)
def test_it_does_worse(new: Counts, old: Counts, reason: str) -> None:
    assert reason in worse(new, old)


def test_the_chance_is_fishers() -> None:
    # Of four failures among 25 calls, three or four are among the new version's ten.
    exact = (comb(4, 3) * comb(21, 7) + comb(4, 4) * comb(21, 6)) / comb(25, 10)
    assert chance(Counts(10, 3), Counts(15, 1)) == pytest.approx(exact)


def test_counts_are_those_since_the_canary_began() -> None:
    now = Counts(30, 4, 2, 12.0)
    assert now.without(Counts(10, 1, 1, 9.0)) == Counts(20, 3, 1, 12.0)
    assert now.at_least(40, 7).failures == 7
    assert now.at_least(10, 1) == now
