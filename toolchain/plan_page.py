"""What a plan would change, as a page for people: a pull request's comment, a run's summary.

It is made from Terraform's JSON form of a plan, which holds secrets in the clear
(developer.hashicorp.com/terraform/internals/json-format): what is marked sensitive there, and what
contains it, is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# A comment on GitHub has at most 65,536 characters, and is of two accounts.
MAX_PAGE = 30_000
MAX_VALUE = 120
MASKED = "(sensitive)"
UNKNOWN = "(known after apply)"
SIGNS = {"create": "+", "delete": "-", "update": "~", "read": "<=", "forget": "."}
REPLACE = "-/+"


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that a plan changes; `lines` say which of its values, and how."""

    address: str
    sign: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitPlan:
    """What a unit's plan would do: changes of resources, and names of outputs that change."""

    unit: str
    changes: tuple[Change, ...]
    outputs: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether an apply would do nothing."""
        return not self.changes and not self.outputs

    def count(self, *signs: str) -> int:
        """Count the resources that are changed in one of these ways."""
        return sum(change.sign in signs for change in self.changes)

    @property
    def summary(self) -> str:
        """Say it in one line, in Terraform's own words."""
        if self.is_empty:
            return "no changes"
        added, destroyed = self.count("+", REPLACE), self.count("-", REPLACE)
        return f"{added} to add, {self.count('~')} to change, {destroyed} to destroy"


def read_plan(unit: str, document: Mapping[str, Any]) -> UnitPlan:
    """Read a unit's plan from its JSON form."""
    changes = (_change(each) for each in document.get("resource_changes", ()))
    outputs = document.get("output_changes", {})
    return UnitPlan(
        unit=unit,
        changes=tuple(change for change in changes if change is not None),
        outputs=tuple(
            sorted(name for name, each in outputs.items() if each["actions"] != ["no-op"])
        ),
    )


def _change(resource: Mapping[str, Any]) -> Change | None:
    change = resource["change"]
    actions = change["actions"]
    # What a plan reads is no change; where it only shows at an apply, Terraform counts it neither.
    if actions in (["no-op"], ["read"]):
        return None
    sign = REPLACE if len(actions) > 1 else SIGNS[actions[0]]
    lines = tuple(_differences(change)) if sign in {"~", REPLACE} else ()
    return Change(resource["address"], sign, lines)


def _differences(change: Mapping[str, Any]) -> Iterator[str]:
    forcing = {".".join(map(str, path)) for path in change.get("replace_paths", ())}
    before, after = change["before"] or {}, change["after"] or {}
    unknown = change.get("after_unknown") or {}
    for name in sorted({*before, *after, *unknown}):
        old, new = before.get(name), UNKNOWN if unknown.get(name) else after.get(name)
        if old == new:
            continue
        hidden = (
            _hides(change.get("before_sensitive"), name),
            _hides(change.get("after_sensitive"), name),
        )
        shown = [MASKED if any(hidden) else _text(value) for value in (old, new)]
        forces = " (forces replacement)" if name in forcing else ""
        yield f"{name}: {shown[0]} -> {shown[1]}{forces}"


def _hides(marks: object, name: str) -> bool:
    """Whether a value, or anything in it, is marked: True, or a tree with a True in it."""
    mark = marks.get(name, False) if isinstance(marks, Mapping) else marks
    return _any_true(mark)


def _any_true(mark: object) -> bool:
    if isinstance(mark, Mapping):
        return any(_any_true(each) for each in mark.values())
    if isinstance(mark, Sequence) and not isinstance(mark, str):
        return any(_any_true(each) for each in mark)
    return mark is True


def _text(value: object) -> str:
    if value == UNKNOWN:
        return UNKNOWN
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}..."


def render(account: str, plans: Sequence[UnitPlan], unplanned: Sequence[str], footer: str) -> str:
    """Write the page: a line a unit, and below what changes, where that isn't too long."""
    parts = [f"## Plan of `{account}`\n"]
    parts += [f"- `{plan.unit}`: {plan.summary}" for plan in plans]
    parts += [f"- `{unit}`: **could not be planned**, the log says why" for unit in unplanned]
    if not plans and not unplanned:
        parts.append("This change touches no unit of it.")
    parts += [_details(plan) for plan in plans if not plan.is_empty]
    page = "\n".join([*parts, "", footer, ""])
    if len(page) <= MAX_PAGE:
        return page
    heading = "\n".join(parts[: 1 + len(plans) + len(unplanned)])
    return (
        f"{heading}\n\nWhat changes in them is too long for a page: the log has it.\n\n{footer}\n"
    )


def _details(plan: UnitPlan) -> str:
    lines = [line for change in plan.changes for line in _lines(change)]
    lines += [f"~ output {name}" for name in plan.outputs]
    text = "\n".join(lines)
    fence = _fence(text)
    return f"\n<details><summary>{plan.unit}</summary>\n\n{fence}diff\n{text}\n{fence}\n</details>"


def _lines(change: Change) -> Iterator[str]:
    yield f"{change.sign} {change.address}"
    yield from (f"      {line}" for line in change.lines)


def _fence(text: str) -> str:
    """Take more backticks than stand in a row anywhere: nothing in the text ends the block."""
    longest = max((len(run) for run in _runs(text)), default=0)
    return "`" * max(3, longest + 1)


def _runs(text: str) -> Iterator[str]:
    yield from "".join(char if char == "`" else " " for char in text).split()
