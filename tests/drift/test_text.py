"""What a person reads, what a machine does, and the exit status."""

from __future__ import annotations

import json

import pytest

from drift.finding import Cause, Difference, Unit, Verdict, exit_status
from drift.text import document, table

HAND = Difference(Cause.BY_HAND, "aws_x.y", "changed", ("a", "b.c"), stays=True)
CODE = Difference(Cause.CODE, "aws_x.z", "to be made")
UNITS = (
    Unit("global/data"),
    Unit("global/edge", reason=("Error: no state", "at byte 16")),
    Unit("us-east-1/api", (HAND, CODE)),
    Unit("us-west-2/api", (CODE,)),
)


@pytest.mark.parametrize(
    ("unit", "verdict", "status"),
    [
        (Unit("a"), Verdict.IN_STEP, 0),
        (Unit("a", (HAND,)), Verdict.BY_HAND, 2),
        (Unit("a", (CODE,)), Verdict.NOT_APPLIED, 2),
        (Unit("a", (HAND, CODE)), Verdict.BOTH, 2),
        (Unit("a", reason=("x",)), Verdict.COULD_NOT_LOOK, 1),
    ],
)
def test_a_verdict_and_its_exit_status(unit: Unit, verdict: Verdict, status: int) -> None:
    assert unit.verdict is verdict
    assert exit_status([Unit("in step"), unit]) == status


def test_an_answer_that_is_not_whole_is_none() -> None:
    assert exit_status(UNITS) == 1


def test_a_person_reads_a_line_a_unit_and_why_below_it() -> None:
    assert table(UNITS, ("eu-west-1/api",)) == (
        "in step           global/data\n"
        "could not look    global/edge\n"
        "    Error: no state\n"
        "    at byte 16\n"
        "both              us-east-1/api\n"
        "    by hand  aws_x.y changed: a, b.c (no apply puts it back)\n"
        "    code     aws_x.z to be made\n"
        "code not applied  us-west-2/api\n"
        "    code     aws_x.z to be made\n"
        "not looked at     eu-west-1/api (a former standby)\n"
        "\n"
        "Values: `terragrunt plan` in the unit's folder. An apply puts back what was changed\n"
        "by hand, unless it says otherwise above, and applies the code.\n"
        "1 in step, 1 code not applied, 1 both, 1 could not look"
    )


def test_nothing_is_advised_where_nothing_differs() -> None:
    assert table([Unit("global/data")], ()) == "in step           global/data\n\n1 in step"


def test_a_machine_reads_the_same() -> None:
    told = json.loads(document("local", UNITS, ("eu-west-1/api",)))
    assert told["account"] == "local"
    assert told["exit_status"] == 1
    assert told["not_looked_at"] == ["eu-west-1/api"]
    assert told["units"][1] == {
        "name": "global/edge",
        "verdict": "could not look",
        "reason": ["Error: no state", "at byte 16"],
        "differences": [],
    }
    assert told["units"][2]["differences"][0] == {
        "cause": "by hand",
        "address": "aws_x.y",
        "what": "changed",
        "attributes": ["a", "b.c"],
        "stays": True,
    }
