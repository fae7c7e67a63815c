"""What AWS measures, from aws_metrics.yaml, and what is wrong with a metric that somebody names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.monitoring.named import Named

FILE = Path(__file__).parent / "aws_metrics.yaml"
MINUTE = 60
# The heading of the function's own metrics, whose namespace is the account's name.
APPLICATION = "application"


@dataclass(frozen=True, slots=True)
class Published:
    """A metric as AWS publishes it; `every` in seconds, no `statistics` are all of them."""

    unit: str
    dimension_sets: frozenset[frozenset[str]]
    every: int
    statistics: frozenset[str]
    region: str | None


Catalogue = dict[tuple[str, str], Published]
"""(namespace, metric) → how it is published."""


def written() -> Mapping[str, Any]:
    """Read the list as it is written, by namespace."""
    document: Mapping[str, Any] = yaml.safe_load(FILE.read_text())
    return document


def read(application_namespace: str) -> Catalogue:
    """Read the list; the function's own metrics stand under their namespace."""
    return {
        (application_namespace if namespace == APPLICATION else namespace, name): _published(
            {**entry, **metric}
        )
        for namespace, entry in written().items()
        for name, metric in entry["metrics"].items()
    }


def _published(entry: Mapping[str, Any]) -> Published:
    return Published(
        unit=str(entry["unit"]),
        dimension_sets=frozenset(frozenset(names) for names in entry["dimensions"]),
        every=entry.get("every", MINUTE),
        statistics=frozenset(entry.get("statistics", ())),
        region=entry.get("region"),
    )


def complaints(named: Named, catalogue: Catalogue) -> Iterator[str]:
    """Say why a metric, as it is named, will never have a data point that means something."""
    published = catalogue.get((named.namespace, named.name))
    if published is None:
        yield f"{named.where}: AWS has no metric {named.namespace} {named.name}"
        return
    about = f"{named.where}: {named.namespace} {named.name}"
    names = frozenset(name for name, _ in named.dimensions)
    if names not in published.dimension_sets:
        yield f"{about} is not published by {', '.join(sorted(names)) or 'no dimension'}"
    if published.region not in (None, named.region):
        yield f"{about} is in {published.region} only, not in {named.region}"
    kind = "p" if named.statistic.startswith("p") else named.statistic
    if published.statistics and kind not in published.statistics:
        yield f"{about} has no {named.statistic}"
    if named.alarm_period is not None and named.alarm_period < published.every:
        yield f"{about} comes every {published.every} s, not every {named.alarm_period}"
