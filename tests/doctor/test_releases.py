"""A release that broke off is named, with what puts that right."""

from __future__ import annotations

import pytest

from doctor import releases
from doctor.finding import Verdict
from releases.ledger import Claim
from releases.versions import Versions

CLAIM = Claim("run", "ada", "2026", 100.0, Versions(3, 3), Versions(4, 4))


@pytest.mark.parametrize(
    ("claim", "now", "verdict", "found", "do"),
    [
        (None, 0.0, Verdict.OK, "none runs", ""),
        (CLAIM, 99.0, Verdict.OK, "runs: version 4 (health 4) after version 3", ""),
        (CLAIM, 100.0, Verdict.WRONG, "broke off: version 4", "make rollback REGION=us-east-1"),
    ],
)
def test_what_a_release_has_left_is_named(
    claim: Claim | None, now: float, verdict: Verdict, found: str, do: str
) -> None:
    judged = releases.judge("release", claim, now, "us-east-1")

    assert judged.verdict is verdict
    assert judged.found.startswith(found)
    assert judged.do.startswith(do)
    assert bool(judged.do) is bool(do)
