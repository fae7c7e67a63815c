"""What came of the mutants: a score for each file, and those that no test noticed."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mutants.areas import Area


class Outcome(enum.Enum):
    """What became of a mutant."""

    KILLED = "noticed"
    SURVIVED = "not noticed"
    UNREACHED = "no test reaches it"
    EQUIVALENT = "equivalent"


@dataclass(frozen=True, slots=True)
class Change:
    """Where a mutant is, by file, line and function, and what it says there instead."""

    file: str
    line: int
    where: str
    before: str
    after: str

    def __str__(self) -> str:
        lines = [f"{self.file}:{self.line}{f' in {self.where}' if self.where else ''}"]
        lines += [f"  - {line}" for line in self.before.splitlines()]
        lines += [f"  + {line}" for line in self.after.splitlines() or [""]]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Trial:
    """A mutant, what became of it, and a word about it."""

    change: Change
    outcome: Outcome
    note: str = ""


def share(trials: Iterable[Trial]) -> float:
    """Give the part of mutants, in %, that was noticed, of those that are not equivalent."""
    outcomes = Counter(trial.outcome for trial in trials)
    counted = outcomes.total() - outcomes[Outcome.EQUIVALENT]
    return 100 * outcomes[Outcome.KILLED] / counted if counted else 100.0


def is_met(area: Area, trials: Sequence[Trial]) -> bool:
    """Whether tests notice as much as they have to."""
    return share(trials) >= area.target


def report(area: Area, trials: Sequence[Trial]) -> Iterator[str]:
    """Say an area's score, each file's, and what was not noticed, as lines."""
    by_file: dict[str, list[Trial]] = {}
    for trial in trials:
        by_file.setdefault(trial.change.file, []).append(trial)
    yield from _survivors(trials)
    yield f"{'':44}noticed     of  equivalent"
    yield from (_row(file, its) for file, its in sorted(by_file.items()))
    yield _row(area.name, trials)
    yield f"The target, {area.target:g} %, is {'met' if is_met(area, trials) else 'MISSED'}."


def _survivors(trials: Iterable[Trial]) -> Iterator[str]:
    for trial in trials:
        if trial.outcome in {Outcome.SURVIVED, Outcome.UNREACHED}:
            note = f": {trial.note}" if trial.note else ""
            yield f"{trial.change}\n  {trial.outcome.value}{note}\n"


def _row(name: str, trials: Sequence[Trial]) -> str:
    outcomes: Mapping[Outcome, int] = Counter(trial.outcome for trial in trials)
    equivalent = outcomes[Outcome.EQUIVALENT]
    return f"{name:42} {share(trials):6.1f} % {len(trials) - equivalent:6} {equivalent:11}"
