"""How long log events are kept: over a restart, and until a group has too many.

They come with every request, so they stay out of what `local.persistence` saves all the time: that
would be megabytes a second after some hours, on the one event loop that serves everybody. They are
written when the emulator stops. A crash loses those of that run, and nothing that anybody
deployed: log groups are saved like everything else.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from local.patches import logs
from local.unreadable import UnreadableStateError

FILE = "log-events.jsonl"
# A log group keeps its newest events. A function's invocation has about five.
MAX_EVENTS = 50_000


def save(folder: Path) -> None:
    """Write a line for each log stream."""
    staging = (folder / FILE).with_suffix(".new")
    with staging.open("w") as opened:
        opened.writelines(json.dumps([*key, stream]) + "\n" for key, stream in logs.all_streams())
    staging.replace(folder / FILE)


def restore(folder: Path) -> None:
    """Take up what `save` left, before anything is added; a group that is gone loses its events.

    Raises UnreadableStateError.
    """
    for account, region, group, name, stream in _read(folder / FILE):
        logs.put_stream((account, region, group, name), stream)


def forget_old_events() -> None:
    """Drop the oldest events of groups that have become long, a stream at a time."""
    logs.drop_oldest_streams(MAX_EVENTS)


def _read(file: Path) -> list[Any]:
    try:
        with file.open() as lines:
            return [json.loads(line) for line in lines]
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise UnreadableStateError(file, error) from error
