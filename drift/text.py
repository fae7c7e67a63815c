"""What a person reads, and what a machine does."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from drift.finding import Cause, Difference, Unit, Verdict, exit_status

VERDICTS = max(len(verdict) for verdict in Verdict)
CAUSES = max(len(cause) for cause in Cause)
INDENT = " " * 4


def table(units: Sequence[Unit], aside: Sequence[str]) -> str:
    """Give a line a unit, below it what differs or why nobody could look, and the sum of them."""
    lines = [line for unit in units for line in _lines(unit)]
    lines += [f"{'not looked at':<{VERDICTS}}  {name} (a former standby)" for name in aside]
    return "\n".join([*lines, "", *_advice(units), _sum(units)])


def _lines(unit: Unit) -> Iterator[str]:
    yield f"{unit.verdict:<{VERDICTS}}  {unit.name}"
    for line in unit.reason:
        yield f"{INDENT}{line}"
    for difference in unit.differences:
        yield f"{INDENT}{difference.cause:<{CAUSES}}  {_sentence(difference)}"


def _sentence(difference: Difference) -> str:
    names = f": {', '.join(difference.attributes)}" if difference.attributes else ""
    stays = " (no apply puts it back)" if difference.stays else ""
    return f"{difference.address} {difference.what}{names}{stays}"


def _advice(units: Sequence[Unit]) -> Iterator[str]:
    """What to do; values aren't shown, so where they are."""
    if any(unit.differences for unit in units):
        yield "Values: `terragrunt plan` in the unit's folder. An apply puts back what was changed"
        yield "by hand, unless it says otherwise above, and applies the code."


def _sum(units: Sequence[Unit]) -> str:
    counted = Counter(unit.verdict for unit in units)
    return ", ".join(f"{counted[verdict]} {verdict}" for verdict in Verdict if counted[verdict])


def document(account: str, units: Sequence[Unit], aside: Sequence[str]) -> str:
    """Give the same as JSON, with the exit status."""
    listed = [{**asdict(unit), "verdict": unit.verdict} for unit in units]
    answer = {
        "account": account,
        "exit_status": exit_status(units),
        "units": listed,
        "not_looked_at": list(aside),
    }
    return json.dumps(answer, indent=2, ensure_ascii=False)
