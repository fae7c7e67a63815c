"""How long log events are kept: over a restart, and until a group has too many.

They come with every request, so they stay out of what `local.persistence` saves all the time: that
would be megabytes a second after some hours, on the one event loop that serves everybody. They are
written when the emulator stops. A crash loses those of that run, and nothing that anybody
deployed: log groups are saved like everything else.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ministack.services import cloudwatch_logs as logs

logger = logging.getLogger("local.logs")

FILE = "log-events.jsonl"
# A log group keeps its newest events. A function's invocation has about five.
MAX_EVENTS = 50_000

Row = list[Any]


def save(folder: Path) -> None:
    """Write a line for each log stream."""
    staging = (folder / FILE).with_suffix(".new")
    with staging.open("w") as opened:
        opened.writelines(json.dumps(row) + "\n" for row in _streams())
    staging.replace(folder / FILE)


def restore(folder: Path) -> None:
    """Take up what `save` left, before anything is added; a group that is gone loses its events."""
    for account, region, group, name, stream in _read(folder / FILE):
        found = logs._log_groups.get_scoped(account, region, group)
        if found is not None:
            found["streams"][name] = stream


def forget_old_events() -> None:
    """Drop the oldest events of groups that have become long, a stream at a time."""
    for group in list(logs._log_groups._data.values()):
        streams: dict[str, Any] = group["streams"]
        total = sum(len(stream["events"]) for stream in list(streams.values()))
        # In the order in which they were made; the last is being written.
        for name in list(streams)[:-1]:
            if total <= MAX_EVENTS:
                break
            total -= len(streams.pop(name)["events"])


def _streams() -> Iterator[Row]:
    for (account, region, group), document in logs._log_groups.all_items():
        for name, stream in list(document["streams"].items()):
            yield [account, region, group, name, stream]


def _read(file: Path) -> list[Row]:
    try:
        with file.open() as lines:
            return [json.loads(line) for line in lines]
    except FileNotFoundError:
        return []
    except ValueError:
        logger.warning("%s can't be read: what it had is lost", file)
        return []
