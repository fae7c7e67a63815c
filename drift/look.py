"""Every unit of an account, looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from drift.finding import Unit
from drift.judging import judge
from drift.plan import Plan, UnreadableError
from drift.queue import Planned, plan_all, private, read_schemas
from drift.schemas import Schemas
from drift.units import Units
from project.console import ToolchainError
from project.paths import Tree


def look(tree: Tree, account: str, units: Units) -> list[Unit]:
    """Plan every unit and judge the plans; one that there is no plan of couldn't be looked at."""
    with private(tree) as folder:
        planned = plan_all(tree, account, units.planned, folder)
    return list(_judged(tree, account, units, planned))


def _judged(tree: Tree, account: str, units: Units, planned: Planned) -> Iterator[Unit]:
    # Any unit has the provider, and so has one that was planned.
    installed = next(iter(planned.plans), "")

    @cache
    def schemas() -> Schemas:
        return Schemas.read(read_schemas(tree, account, installed))

    for name in units.planned:
        document = planned.plans.get(name)
        if document is None:
            yield Unit(name, reason=planned.reasons[name])
        else:
            yield _judge(name, document, schemas)


def _judge(name: str, document: Mapping[str, Any], schemas: Callable[[], Schemas]) -> Unit:
    try:
        return Unit(name, judge(Plan.read(document), schemas))
    except (UnreadableError, ToolchainError) as error:
        return Unit(name, reason=tuple(str(error).splitlines()))
