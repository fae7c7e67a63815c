from __future__ import annotations

import pytest

from mutants.areas import Area
from mutants.score import Change, Outcome, Trial, is_met, report, share

AREA = Area("drills", target=75, count=10)


def trials(outcomes: str, file: str = "drills/verdict.py") -> list[Trial]:
    kinds = {"k": Outcome.KILLED, "s": Outcome.SURVIVED, "u": Outcome.UNREACHED,
             "e": Outcome.EQUIVALENT}  # fmt: skip
    change = Change(file, 7, "judge", "return a <= b", "return a < b")
    return [Trial(change, kinds[each]) for each in outcomes]


@pytest.mark.parametrize(
    ("outcomes", "percent", "met"),
    [("kkks", 75, True), ("kks", 66.7, False), ("kkku", 75, True), ("kuu", 33.3, False),
     ("kkkse", 75, True), ("eee", 100, True), ("s", 0, False)],
)  # fmt: skip
def test_equivalents_do_not_count_and_what_no_test_reaches_does(
    outcomes: str, percent: float, met: bool
) -> None:
    assert share(trials(outcomes)) == pytest.approx(percent, abs=0.05)
    assert is_met(AREA, trials(outcomes)) is met


def test_a_report_has_each_survivor_each_file_and_the_whole() -> None:
    mixed = [*trials("kks"), *trials("ke", "drills/audit.py")]
    text = "\n".join(report(AREA, mixed))
    survivor = "drills/verdict.py:7 in judge\n  - return a <= b\n  + return a < b\n  not noticed\n"
    assert text.count(survivor) == 1
    assert [line.split() for line in text.splitlines()[-4:-1]] == [
        ["drills/audit.py", "100.0", "%", "1", "1"],
        ["drills/verdict.py", "66.7", "%", "3", "0"],
        ["drills", "75.0", "%", "4", "1"],
    ]
    assert text.endswith("The target, 75 %, is met.")
    assert "\n".join(report(AREA, trials("s"))).endswith("The target, 75 %, is MISSED.")
