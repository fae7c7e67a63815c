"""The tables as Markdown, and the pages that show them between two markers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from costs.arithmetic import Estimate, Price, Quantity, Row, Term, total

PAGES = ("docs/cost.md", "docs/deployment-guide.md")
TIMES = " \N{MULTIPLICATION SIGN} "
# <!-- costs: NAME --> … <!-- end of costs -->
SHOWN = re.compile(
    r"(?P<begin><!-- costs: (?P<name>[\w-]+) -->\n).*?(?P<end><!-- end of costs -->)", re.DOTALL
)


def parts(estimate: Estimate) -> dict[str, str]:
    """Give everything that a page can show, by its name."""
    return {
        "as-of": f"Prices are **as known in {estimate.as_of}**.",
        "assumptions": _lines(_assumptions(estimate)),
        "busy": _lines(_busy(estimate)),
        "tiers": _lines(_tiers(estimate)),
        "second-region": _second_region(estimate),
        "probes": _probes(estimate),
        "idle": _lines(_idle(estimate)),
        "summary": _summary(estimate),
        "steps": _lines(_steps(estimate)),
    }


def filled(text: str, estimate: Estimate) -> str:
    """Put what is computed between a page's markers. Raises KeyError for an unknown name."""
    shown = parts(estimate)
    return SHOWN.sub(lambda found: f"{found['begin']}{shown[found['name']]}\n{found['end']}", text)


def stale(root: Path, estimate: Estimate) -> list[str]:
    """List the pages that show other figures than what is computed."""
    texts = {name: (root / name).read_text("utf-8") for name in PAGES}
    return [name for name, text in texts.items() if filled(text, estimate) != text]


def write(root: Path, estimate: Estimate) -> None:
    """Bring every page up to date."""
    for name in PAGES:
        page = root / name
        page.write_text(filled(page.read_text("utf-8"), estimate), "utf-8")


def arithmetic(row: Row) -> str:
    """Show how a row's sum comes about."""
    return " + ".join(_term(term) for term in row.terms)


def _term(term: Term) -> str:
    reached = term.price.parts(term.units)
    if len(reached) > 1:
        tiers = " + ".join(_tier(units, dollars, term.price) for units, dollars in reached)
        return tiers + _per(term.price)
    *_, (_, dollars) = reached
    factors = [_quantity(quantity) for quantity in term.quantities]
    return TIMES.join([*factors, _dollars(dollars)]) + _per(term.price)


def _tier(units: float, dollars: float, price: Price) -> str:
    return (
        f"{_number(units)} free" if dollars == 0 else f"{_number(units)}{TIMES}{_dollars(dollars)}"
    )


def _quantity(quantity: Quantity) -> str:
    """A number with its unit, which is a word, or with what it is in brackets."""
    if not quantity.note:
        return _number(quantity.value)
    note = f"({quantity.note})" if " " in quantity.note else quantity.note
    return f"{_number(quantity.value)} {note}"


def _per(price: Price) -> str:
    return {1: "", 1_000_000: " per million"}.get(price.per, f" per {price.per:,}")


def _number(value: float) -> str:
    if value >= 1_000_000:
        return f"{value / 1_000_000:,.1f}".removesuffix(".0") + " M"
    return f"{value:,.0f}" if value == round(value) or value >= 100 else f"{value:.3g}"


def _dollars(value: float) -> str:
    """A price: two decimals, or as many as it has."""
    return f"{value:.2f}" if round(value, 2) == value else f"{value:.10f}".rstrip("0")


def _source(row: Row) -> str:
    return f"[{row.source.name}]({row.source.url})"


def _rounded(value: float) -> str:
    """A sum as one says it: three digits that count, two below a thousand."""
    digits = 3 if value >= 1000 else 2
    return f"{float(f'{value:.{digits}g}'):,.0f}"


def _lines(lines: Iterator[str]) -> str:
    return "\n".join(lines)


def _head(*names: str) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield f"| {' | '.join('---:' if name.startswith('$') else '---' for name in names)} |"


def _assumptions(estimate: Estimate) -> Iterator[str]:
    yield from _head("Assumption", "Value")
    for quantity in estimate.quantities.values():
        if quantity.assumed:
            yield f"| {quantity.assumed} | {_number(quantity.value)} |"


def _busy(estimate: Estimate) -> Iterator[str]:
    yield from _head("What", "Arithmetic", "$ a month", "Price from")
    for row in estimate.busy:
        yield f"| {row.what} | {arithmetic(row)} | {row.dollars:,.0f} | {_source(row)} |"
    yield (
        "| What stands there anyhow | [below](#a-month-with-no-users) "
        f"| {estimate.idle_dollars:,.0f} | |"
    )
    yield f"| **Sum** | | **≈ {_rounded(estimate.busy_dollars)}** | |"


def _tiers(estimate: Estimate) -> Iterator[str]:
    yield from _head("Tier", "Arithmetic", "$ a month")
    for row in estimate.tiers:
        yield f"| {row.what} | {arithmetic(row)} | {row.dollars:,.0f} |"


def _second_region(estimate: Estimate) -> str:
    doubled = total([row for row in estimate.busy if row.doubled]) / 2
    return (
        "The second Region costs what is written twice (half of DynamoDB's writes, storage and "
        f"recovery, ≈ {_rounded(doubled)}) and about half of the next table: its requests cost "
        "nothing until it serves, and then the first Region's cost nothing."
    )


def _probes(estimate: Estimate) -> str:
    count = estimate.count
    each = {name: _number(count(f"{name}_probes")) for name in ("region", "canary")}
    return (
        f"About {count('checkers')} checkers ask each of {count('fast_checks')} health checks "
        f"every 10 s ({each['region']} requests a month), and the canary every 30 s "
        f"({each['canary']}), which goes through the edge."
    )


def _idle(estimate: Estimate) -> Iterator[str]:
    yield from _head("Unit", "What", "Arithmetic", "$ a month", "Price from")
    before = ""
    for row in estimate.idle:
        unit = "" if row.unit == before else f"`{row.unit}`"
        before = row.unit
        yield f"| {unit} | {row.what} | {arithmetic(row)} | {row.dollars:,.2f} | {_source(row)} |"
    yield f"| **Sum** | | | **≈ {_rounded(estimate.idle_dollars)}** | |"


def _summary(estimate: Estimate) -> str:
    users = total([row for row in estimate.busy if row.source.name.startswith("Cognito")])
    return (
        f"In short: about ${_rounded(estimate.idle_dollars)} a month for an account that nobody "
        f"uses, nearly all of it from step 4 on; about ${_rounded(estimate.busy_dollars)} for a "
        f"million daily users, {100 * users / estimate.busy_dollars:.0f} % of it Cognito."
    )


def _steps(estimate: Estimate) -> Iterator[str]:
    yield from _head("Step", "Then costs, a month", "Takes about")
    for step in estimate.steps:
        dollars = total([row for row in estimate.idle if row.unit in step.units])
        yield f"| {step.step} | {_a_month(dollars)} | {step.takes} |"


def _a_month(dollars: float) -> str:
    if dollars < 1:
        return "under $1" if dollars else "nothing"
    return f"${_rounded(dollars)}"


def text(rows: Sequence[Row]) -> str:
    """Show rows on a terminal: dollars, what, and how they come about."""
    return "\n".join(f"{row.dollars:>12,.2f}  {row.what}: {arithmetic(row)}" for row in rows)
