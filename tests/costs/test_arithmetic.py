"""Sums are right, and the pages show what is computed."""

from __future__ import annotations

import re
from typing import Any

import hcl2
import pytest

from costs import page
from costs.arithmetic import Estimate, Price, Quantity, Row, Source, Term, read
from project.paths import TREE

SOURCE = Source("pricing", "https://aws.amazon.com/pricing/")
TIERED = Price(SOURCE, 1_000_000, ((10_000_000, 0), (90_000_000, 2.0), (float("inf"), 1.5)))
INF = float("inf")


@pytest.fixture(scope="module")
def estimate() -> Estimate:
    return read()


def row(*terms: Term) -> Row:
    return Row("what", "api", terms, doubled=False)


def test_the_pages_show_what_is_computed(estimate: Estimate) -> None:
    assert page.stale(TREE.root, estimate) == []


def test_everything_that_is_computed_is_shown(estimate: Estimate) -> None:
    shown = [
        found["name"]
        for name in page.PAGES
        for found in page.SHOWN.finditer((TREE.root / name).read_text("utf-8"))
    ]

    assert sorted(shown) == sorted(page.parts(estimate))


def test_a_page_with_another_figure_is_stale(estimate: Estimate) -> None:
    text = (TREE.root / "docs" / "cost.md").read_text("utf-8")
    changed = re.sub(r"7,885", "7,886", text, count=1)

    assert changed != text
    assert page.filled(changed, estimate) == text


@pytest.mark.parametrize(
    ("units", "dollars"),
    [(0, 0), (10_000_000, 0), (11_000_000, 2.0), (100_000_000, 180.0), (102_000_000, 183.0)],
)
def test_a_tier_begins_where_the_one_before_is_full(units: float, dollars: float) -> None:
    assert TIERED.of(units) == pytest.approx(dollars)


def test_a_sum_is_shown_as_it_comes_about() -> None:
    simple = Price(SOURCE, 1_000_000, ((INF, 0.625),))
    shown = row(
        Term((Quantity(300_000_000), Quantity(2, "Regions"), Quantity(3, "two of three")), simple),
        Term((Quantity(102_000_000),), TIERED),
    )

    assert page.arithmetic(shown).replace(page.TIMES, " x ") == (
        "300 M x 2 Regions x 3 (two of three) x 0.625 per million"
        " + 10 M free + 90 M x 2.00 + 2 M x 1.50 per million"
    )
    assert shown.dollars == pytest.approx(1125 + 183)


def test_a_row_has_prices_of_the_services_that_it_names(estimate: Estimate) -> None:
    """A line names one page, so its prices stand there; the canary's line says both."""
    mixed = [
        each.what
        for each in (*estimate.busy, *estimate.idle, *estimate.tiers)
        if len({term.price.source for term in each.terms}) > 1
    ]

    assert mixed == ["canary's probes, CloudFront and web ACL"]


def test_every_row_with_no_users_belongs_to_a_step_of_the_guide(estimate: Estimate) -> None:
    of_steps = [unit for step in estimate.steps for unit in step.units]

    assert {each.unit for each in estimate.idle} == set(of_steps)
    assert len(of_steps) == len(set(of_steps))


def test_lite_is_the_least_that_users_cost(estimate: Estimate) -> None:
    lite, essentials, plus = (each.dollars for each in estimate.tiers)

    assert estimate.busy[0].dollars == lite < essentials < plus
    assert essentials - lite == pytest.approx(21_965)


def test_what_an_account_decides_is_what_prod_says(estimate: Estimate) -> None:
    """The function's memory, the share of traces, and how long logs are kept."""
    settings: dict[str, Any] = {}
    for file in ("_defaults.hcl", "prod/account.hcl"):
        (written,) = hcl2.loads((TREE.root / "live" / file).read_text("utf-8"))["locals"]
        settings |= written
    assumed = {name: estimate.quantities[name].value for name in estimate.quantities}

    assert assumed["function_gigabytes"] == settings["function_memory_mb"] / 1024
    assert assumed["traced_share"] == settings["trace_rate"]
    assert assumed["months_kept"] == settings["log_retention_days"] // 30
