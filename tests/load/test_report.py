"""The page and the short form, and what they are judged by."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from load.phone import CREATE, LIST
from load.records import Attempt, Ended, Settled
from load.report import document, files, page, picture
from load.run import Seen
from load.size import Size
from load.tally import Tally
from load.usage import RegionUsage
from load.verdict import judge
from tests.drills.histories import PRIMARY, STANDBY
from tests.drills.systems import system
from tests.load.plans import TARGETS

if TYPE_CHECKING:
    from pathlib import Path

BEGAN = datetime(2026, 11, 28, 12, 0, 0, tzinfo=UTC)
SIZE = Size(users=2, rate=5.0, minutes=1.0)


def seen(*, failed: int = 0, slow: float = 0.2, error: str = "503 <busy>") -> Seen:
    """Five requests a second for a minute, some of which went wrong."""
    tally = Tally()
    for number in range(300):
        wrong = number < failed
        at = number / 5
        tally.add(
            Attempt(
                LIST,
                at,
                at,
                at + slow,
                1,
                503 if wrong else 200,
                PRIMARY,
                error if wrong else "",
                "id",
            )
        )
    tally.add(Settled(CREATE, ""))
    tally.add(Ended(visits=75, cut=0))
    throttles = {"calls throttled by Lambda": 3.0, "reads throttled by DynamoDB": 0.0}
    usage = {
        PRIMARY: RegionUsage(300.0, 6000.0, 400.0, 120.0, throttles),
        STANDBY: RegionUsage(0.0, 0.0, 0.0, 100.0, {}),
    }
    return Seen(tally, usage)


def report(run: Seen) -> Any:
    return document.build(system(), SIZE, TARGETS, run, BEGAN)


def met(run: Seen) -> dict[str, bool]:
    return {check.name: check.met for check in judge(SIZE, run.tally.figures(), TARGETS).checks}


def test_a_run_that_met_everything_says_so() -> None:
    text = page.text(report(seen()))

    assert text.startswith("2 users, 5 requests a second for 1 min in dev")
    assert ": MET" in text
    assert "MISSED" not in text
    assert "throttled: 3 calls throttled by Lambda in us-east-1" in text


@pytest.mark.parametrize(
    ("run", "missed"),
    [
        (seen(failed=1), "Availability"),
        (seen(slow=1.1), "99 in 100 answered within"),
    ],
)
def test_an_objective_that_was_missed_is_named(run: Seen, missed: str) -> None:
    assert [name for name, good in met(run).items() if not good] == [missed]
    assert not report(run)["passed"]


def test_a_run_that_sent_too_little_or_too_late_shows_nothing() -> None:
    empty, few = Seen(Tally(), {}), Seen(Tally(), {})
    late = seen()
    for _ in range(10):
        late.tally.add(Attempt(LIST, 1.0, 1.6, 1.7, 1, 200, PRIMARY))

    assert not met(empty)["Requests sent"]
    assert not met(empty)["Availability"]
    assert not met(late)["Sent when due, 99 in 100"]
    # Seven in ten of the 300 that were planned.
    for _ in range(209):
        few.tally.add(Attempt(LIST, 1.0, 1.0, 1.1, 1, 200, PRIMARY))
    assert not met(few)["Requests sent"]
    few.tally.add(Attempt(LIST, 1.0, 1.0, 1.1, 1, 200, PRIMARY))
    assert met(few)["Requests sent"]


def test_writes_that_came_to_nothing_second_items_and_lost_tokens_are_missed() -> None:
    run = seen()
    run.tally.add(Settled(CREATE, "given up after 7 tries"))
    run.tally.add(Settled(CREATE, "made a second item"))
    run.tally.add(Attempt("refresh a token", 0.0, 0.0, 0.1, 1, 400, "user pool", "400 no"))

    assert [name for name, good in met(run).items() if not good] == [
        "Writes that no retry brought to an end",
        "Repeated creates that made a second item",
        "Tokens that could not be renewed",
    ]


def test_the_page_holds_the_figures_and_escapes_what_it_was_told() -> None:
    html = page.html(report(seen(failed=2)))

    assert "503 &lt;busy&gt;" in html
    assert "<svg" in html
    for part in ("GET /v1/items", "us-east-1", "A million requests", "calls throttled by Lambda"):
        assert part in html


def test_the_bill_is_by_what_was_taken() -> None:
    lines = {each["what"]: each for each in report(seen())["bill"]["lines"]}

    assert lines["DynamoDB, writes"]["dollars"] == pytest.approx(220 / 300 * 0.625)
    assert lines["DynamoDB, writes"]["measured"]
    assert not lines["Logs, taken in"]["measured"]


def test_a_long_run_has_no_more_bars_than_there_is_room_for() -> None:
    run = Seen(Tally(), {})
    for second in range(0, 1000, 10):
        run.tally.add(Attempt(LIST, float(second), 0.0, second + 1.0, 1, 200, STANDBY))

    drawn = report(run)

    assert len(drawn["bars"]) <= 120
    assert sum(bar["served"][STANDBY] for bar in drawn["bars"]) == 100
    assert picture.png(drawn).startswith(b"\x89PNG")


def test_a_folder_holds_all_of_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(files, "REPORTS", tmp_path)
    run = seen(failed=2)

    folder = files.write(report(run), run.tally.failures, BEGAN)

    assert {path.name for path in folder.iterdir()} == {
        "failures.jsonl",
        "picture.png",
        "report.html",
        "report.json",
    }
    assert len((folder / "failures.jsonl").read_text().splitlines()) == 2
    assert files.read(folder) == page.text(report(run))
