"""What a run refuses to ask for, and what it says it may cost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from costs import arithmetic
from load import bill
from load.__main__ import main
from load.size import Size, announcement, dollars_at_most, require_cheap, require_room
from load.targets import Limits, read_targets
from load.usage import RegionUsage
from project.console import ToolchainError
from project.paths import TREE
from tests.load.plans import LIMITS, TARGETS

ESTIMATE = arithmetic.read()


@pytest.mark.parametrize(
    ("limits", "size", "setting"),
    [
        (replace(LIMITS, method_rate=20.0), Size(20, 100.0, 1.0), "throttle_rate_limit"),
        (LIMITS, Size(20, 40.0, 10.0), "edge_rate_limit"),
        (replace(LIMITS, write_units=2.0), Size(20, 30.0, 1.0), "table_max_throughput"),
        (replace(LIMITS, read_units=2.0), Size(20, 30.0, 1.0), "table_max_throughput"),
    ],
)
def test_more_than_the_account_lets_through_is_refused_by_the_settings_name(
    limits: Limits, size: Size, setting: str
) -> None:
    with pytest.raises(ToolchainError, match=setting):
        require_room(size, replace(TARGETS, limits=limits), "dev")


def test_a_burst_that_never_fills_five_minutes_is_let_through() -> None:
    require_room(Size(20, 40.0, 4.0), TARGETS, "dev")


def test_every_account_lets_the_usual_run_through() -> None:
    for account in ("local", "dev", "prod"):
        require_room(Size(20, 5.0, 1.0), read_targets(TREE, account), account)


def test_prod_asks_twice_and_a_run_has_a_price() -> None:
    prod = read_targets(TREE, "prod")

    assert prod.asks_twice
    assert prod.max_dollars == 5


def test_what_costs_more_than_a_run_may_is_refused() -> None:
    require_cheap(Size(20, 5.0, 1.0), 5.0, TARGETS)
    with pytest.raises(ToolchainError, match=r"\$5\.01.*load_max_dollars"):
        require_cheap(Size(20, 5.0, 1.0), 5.01, TARGETS)


def test_the_bound_holds_the_requests_and_the_dearest_price_of_each_user() -> None:
    size = Size(users=100, rate=10.0, minutes=10.0)

    dollars = dollars_at_most(size, TARGETS, ESTIMATE, per_million=20.0)

    assert dollars == pytest.approx(1.2 * 6000 / 1_000_000 * 20 + 100 * 0.0055)


def test_rate_cost_and_limits_are_said_before_anything_begins() -> None:
    said = announcement(Size(20, 5.0, 1.0), TARGETS, 0.12)

    for part in ("20 users", "5 requests a second", "at most 360", "$0.12", "$5.00", "1,000", "33"):
        assert part in said


def test_an_account_that_asks_begins_nothing_without_an_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ACCOUNT", "prod")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("CONFIRM", raising=False)

    assert main([]) == 2
    assert "type CONFIRM=prod after `make load`" in capsys.readouterr().err


def test_a_million_requests_cost_what_the_months_table_says() -> None:
    """At its assumptions and first prices: what differs are tiers and what is paid by the month."""
    lines = {
        each.what: each.dollars for each in bill.items(bill.assumed(ESTIMATE), TARGETS, ESTIMATE)
    }
    month = {row.what: row.dollars for row in ESTIMATE.busy}
    millions = ESTIMATE.quantities["requests"].value / 1_000_000

    writes = month["DynamoDB, writes"] + month["DynamoDB, counts of items"]
    assert lines["DynamoDB, writes"] * millions == pytest.approx(writes)
    for line, rows in {
        "CloudFront": "CloudFront, requests",
        "CloudFront, data out": "CloudFront, data out",
        "WAF, edge and Region": "WAF: each request passes both",
        "DynamoDB, reads": "DynamoDB, reads",
        "Lambda, requests": "Lambda, requests",
        "Lambda, time": "Lambda, time",
        "Logs, taken in": "Logs, taken in",
        "X-Ray": "X-Ray",
    }.items():
        assert lines[line] * millions == pytest.approx(month[rows]), line


def test_what_a_run_took_is_what_its_requests_cost() -> None:
    calls = {"invocations": 100.0, "duration_ms": 2000.0}
    usage = {
        "east": region(**calls, read_units=300.0, write_units=100.0),
        "west": region(invocations=0.0, duration_ms=0.0, read_units=0.0, write_units=100.0),
    }

    taken = bill.measured(usage)

    assert taken
    assert (taken.read_units, taken.write_units) == (3.0, 2.0)
    assert taken.call_seconds == pytest.approx(0.02)
    lines = {each.what: each for each in bill.items(taken, TARGETS, ESTIMATE)}
    assert lines["DynamoDB, writes"].dollars == pytest.approx(2 * 0.625)
    assert lines["DynamoDB, writes"].measured


def test_nothing_counted_is_no_measurement() -> None:
    assert bill.measured({"east": region(0.0, 0.0, 0.0, 0.0)}) is None


def region(
    invocations: float, duration_ms: float, read_units: float, write_units: float
) -> RegionUsage:
    return RegionUsage(invocations, duration_ms, read_units, write_units, {})
