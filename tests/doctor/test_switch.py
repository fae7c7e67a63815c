"""A switch that isn't as usual is named, with who may write and what to type."""

from __future__ import annotations

import pytest

from doctor import switch
from doctor.finding import Verdict
from project.switch import Row

PRIMARY, STANDBY = "us-east-1", "eu-west-1"


@pytest.mark.parametrize(
    ("row", "verdict", "found", "do"),
    [
        (Row(), Verdict.OK, "every Region may write", ""),
        (Row(paused=True, paused_at="2026"), Verdict.WRONG, "paused since 2026", "make resume"),
        (Row(active=True, writer=STANDBY), Verdict.WRONG, f"{STANDBY} alone", "make failback"),
        (Row(False, STANDBY, PRIMARY, 10), Verdict.WRONG, f"{PRIMARY} from", "make failback"),
    ],
)
def test_who_may_write_is_named(row: Row, verdict: Verdict, found: str, do: str) -> None:
    judged = switch.judge("writes", row, 0, STANDBY)

    assert judged.verdict is verdict
    assert found in judged.found
    assert judged.do.startswith(do)
    assert bool(judged.do) is bool(do)
