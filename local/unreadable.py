"""State that can't be read is set aside and kept, and the emulator doesn't begin without it.

Otherwise it would begin empty, and write over what a person could still repair.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

SUFFIX = ".unreadable"
# Beside the state: what a person has chosen to begin without.
FOLDER = "set-aside"
# Items are of no use without their tables.
GOES_ALONG = {"dynamodb": "items.sqlite"}
# What SQLite keeps beside its file.
COMPANIONS = ("-wal", "-shm", "-journal")


class UnreadableStateError(Exception):
    """A state file that can't be taken up."""

    def __init__(self, file: Path, reason: object) -> None:
        super().__init__(f"{file} can't be read: {reason}")
        self.file = file


class SetAsideError(Exception):
    """There is state that can't be read; the message says what to do."""


def set_aside(error: UnreadableStateError) -> None:
    """Give an unreadable file another name, with all that belongs to it. Raises OSError."""
    for companion in ("", *COMPANIONS):
        part = error.file.with_name(error.file.name + companion)
        if part.exists():
            part.rename(error.file.with_name(f"{error.file.name}{SUFFIX}{companion}"))


def require_readable(state: Path, why: str = "") -> None:
    """Raise SetAsideError while anything is set aside; `why` is what was found wrong now."""
    kept = sorted(state.glob(f"*{SUFFIX}"))
    if not kept:
        return
    names = ",".join(_name(file) for file in kept)
    listed = "".join(f"\n  {file}" for file in kept)
    raise SetAsideError(
        f"{why or 'State can not be read'}\n"
        f"Nothing is lost or written over, and nothing was started. It is set aside as:{listed}\n"
        f"Either repair it, take {SUFFIX!r} off its name and `make start`; or\n"
        f"`make start WITHOUT={names}` begins without what is in it"
        f"{_meaning(names)}, and keeps the file in {state.parent / FOLDER}."
    )


def begin_without(state: Path, names: Sequence[str]) -> list[Path]:
    """Move what a person can do without out of the way; where it is kept.

    Raises SetAsideError for a name that nothing is set aside under.
    """
    kept = {_name(file): file for file in state.glob(f"*{SUFFIX}")}
    unknown = [name for name in names if name not in kept]
    if unknown:
        there_is = ", ".join(sorted(kept)) or "nothing"
        raise SetAsideError(f"WITHOUT={','.join(unknown)}: set aside is {there_is}.")
    along = [state / GOES_ALONG[name] for name in names if name in GOES_ALONG]
    files = [*(kept[name] for name in names), *(file for file in along if file.exists())]
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return [_move(file, state.parent / FOLDER, moment) for file in files]


def _move(file: Path, folder: Path, moment: str) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    target = folder / f"{file.name.removesuffix(SUFFIX)}.{moment}"
    for companion in ("", *COMPANIONS):
        part = file.with_name(file.name + companion)
        if part.exists():
            part.rename(target.with_name(target.name + companion))
    return target


def _name(file: Path) -> str:
    return file.name.partition(".")[0]


def _meaning(names: str) -> str:
    if "dynamodb" in names.split(","):
        return " (every table, with its items)"
    return " (every item of every table)" if "items" in names.split(",") else ""
