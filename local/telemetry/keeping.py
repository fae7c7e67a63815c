"""Data points and log events over a restart.

They come with every request, so they stay out of what `local.persistence` saves all the time:
that would be megabytes a second after some hours, on the one event loop that serves everybody.
They are written when the bench stops. A crash loses those of that run, and nothing that anybody
deployed: alarms, dashboards and log groups are saved like everything else.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ministack.services import cloudwatch
from ministack.services import cloudwatch_logs as logs

logger = logging.getLogger("local.telemetry")

METRICS, EVENTS = "metrics.jsonl", "log-events.jsonl"

Document = dict[str, Any]
Row = list[Any]


def save(folder: Path) -> None:
    """Write both files, a line for each metric and each log stream."""
    _write(folder / METRICS, _metrics())
    _write(folder / EVENTS, _streams())


def restore(folder: Path) -> None:
    """Take up what `save` left, before anything is added; a group that is gone loses its events."""
    for row in _read(folder / METRICS):
        account, region, *name, dimensions, unit, points = row
        bucket = [_point(dimensions, unit, *point) for point in points]
        cloudwatch._metrics.set_scoped(account, region, tuple(name), bucket)
    for account, region, group, name, stream in _read(folder / EVENTS):
        found = logs._log_groups.get_scoped(account, region, group)
        if found is not None:
            found["streams"][name] = stream


def _metrics() -> Iterator[Row]:
    for (account, region, name), points in cloudwatch._metrics.all_items():
        if points:
            # What a metric's points share is said once.
            first = points[0]
            rows = [
                (point["Timestamp"], point["Value"], point.get("Count"), point.get("_stat"))
                for point in points
            ]
            yield [account, region, *name, first["Dimensions"], first["Unit"], rows]


def _point(dimensions: Document, unit: str, at: float, value: float, *more: Any) -> Document:  # noqa: ANN401
    count, statistics = more
    point: Document = {"Timestamp": at, "Value": value, "Unit": unit, "Dimensions": dimensions}
    return (
        point
        | ({} if count is None else {"Count": count})
        | ({} if statistics is None else {"_stat": statistics})
    )


def _streams() -> Iterator[Row]:
    for (account, region, group), document in logs._log_groups.all_items():
        for name, stream in list(document["streams"].items()):
            yield [account, region, group, name, stream]


def _write(file: Path, rows: Iterable[Row]) -> None:
    staging = file.with_suffix(".new")
    with staging.open("w") as opened:
        opened.writelines(json.dumps(row) + "\n" for row in rows)
    staging.replace(file)


def _read(file: Path) -> list[Row]:
    try:
        with file.open() as lines:
            return [json.loads(line) for line in lines]
    except FileNotFoundError:
        return []
    except ValueError:
        logger.warning("%s can't be read: what it held is lost", file)
        return []
