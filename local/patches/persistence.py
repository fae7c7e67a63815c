"""What ministack saves of each service, and in which format; when is in `local.persistence`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import persistence

from local.unreadable import UnreadableStateError

# A service's state as ministack holds it: None where there is nothing to save.
GetState = Callable[[], Any]


def service_states() -> Mapping[str, GetState]:
    """What reads each service's state, by the name of its state file."""
    states: Mapping[str, GetState] = app._build_persistence_save_dict()
    return states


def serialize(service: str, state: object) -> bytes:
    """A state file's content, as ministack reads it at its start.

    Raises RuntimeError when the state changes while it is read, TypeError or ValueError when it
    has no JSON form.
    """
    version = persistence._state_format_version(service)
    wrapped = {"__ministack_format__": version, "payload": state}
    # dumps, unlike dump, runs in C: ten times faster.
    return json.dumps(wrapped, default=persistence._json_default).encode()


def save_nothing_at_shutdown() -> None:
    """Leave saving to us: ministack's own at shutdown has another form, and hides a failure."""
    app.save_all = lambda _states: None


def load() -> None:
    """Take up every service's state now; raises UnreadableStateError.

    ministack's own loading, at its start, logs what it can't read, begins without it, and writes
    over the file later.
    """
    for service, module in app._state_map.items():
        file = Path(persistence.STATE_DIR) / f"{service}.json"
        if file.exists():
            _load(file, service, module)
    app._load_persisted_state = lambda: None


def _load(file: Path, service: str, module: str) -> None:
    try:
        json.loads(file.read_bytes())
        state = persistence.load_state(service)
        if state:
            app._get_module(module).load_persisted_state(state)
    # Whatever a service's own code raises for content that it doesn't understand.
    except Exception as error:
        raise UnreadableStateError(file, error) from error
    if state is None:
        raise UnreadableStateError(file, "no state of a version that this ministack knows")
