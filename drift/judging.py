"""What a plan says: what was changed by hand, and what of the code isn't applied.

A plan has what reading the resources found to differ from the state (`resource_drift`) and what an
apply would do (`resource_changes`). The first is mostly noise: what AWS counts or stamps, and null
that reads back as empty. It counts where an apply would put it back, and where the code has left
the attribute to AWS and somebody has set it since. What the code sets, or could, and an apply
leaves alone is ignored on purpose (`ignore_changes`, an alias that releases move).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cached_property
from typing import Any

from drift import roles
from drift.finding import Cause, Difference
from drift.plan import Change, Plan
from drift.schemas import Owner, Schemas, without_keys
from drift.values import Path, any_true, at, changed, text, touches

_ACTIONS: Mapping[tuple[str, ...], str] = {
    ("create",): "to be made",
    ("delete",): "to be deleted",
    ("forget",): "to be forgotten",
    ("update",): "to be changed",
}
REPLACED = "to be made anew"
OUTPUT = "output {}"


def judge(plan: Plan, schemas: Callable[[], Schemas]) -> tuple[Difference, ...]:
    """Give every difference; `schemas` is asked only where it depends on them."""
    drifted = {change.key: change for change in plan.drifted}
    resources = [_Resource(plan, change, drifted.get(change.key)) for change in plan.planned]
    by_hand = [
        *(found for each in resources for found in each.by_hand(schemas)),
        *_gone(plan),
        *roles.extra_policies(plan.planned),
    ]
    code = [found for each in resources for found in each.not_applied()]
    code += _outputs(plan)
    found = (*by_hand, *code)
    return found or tuple(each for one in resources for each in one.following())


def _gone(plan: Plan) -> Iterator[Difference]:
    """What was deleted by hand; the code may want it no more."""
    made = {change.key for change in plan.planned if "create" in change.actions}
    for change in plan.drifted:
        if change.actions == ("delete",):
            stays = change.key not in made
            yield Difference(Cause.BY_HAND, change.address, "deleted", stays=stays)


class _Fate(Enum):
    """What becomes of an attribute that has drifted; NOBODYS is no drift at all."""

    RESTORED = auto()
    STAYS = auto()
    NOBODYS = auto()


@dataclass(frozen=True)
class _Resource:
    """What an apply would do to a resource, and how reading it differed from the state."""

    plan: Plan
    change: Change
    drift: Change | None

    @property
    def deleted_by_hand(self) -> bool:
        return self.drift is not None and self.drift.actions == ("delete",)

    @cached_property
    def drifted(self) -> list[Path]:
        """Where it isn't as the state had it."""
        if self.drift is None or self.deleted_by_hand:
            return []
        return changed(self.drift.before, self.drift.after, secret=self.drift.secret)

    @cached_property
    def planned(self) -> list[Path]:
        """Where an apply would change it to what is known already."""
        change = self.change
        if not change.changes_in_place_or_anew:
            return []
        return changed(change.before, change.after, change.unknown, change.secret)

    def by_hand(self, schemas: Callable[[], Schemas]) -> Iterator[Difference]:
        """What was changed by hand, apart from a deletion."""
        if not self.change.stays_there:
            return
        restored = [path for path in self.drifted if touches(path, self.planned)]
        left = [path for path in self.drifted if path not in restored and not self._is_role(path)]
        fates = {path: self._fate(path, schemas) for path in left}
        restored += [path for path in left if fates[path] is _Fate.RESTORED]
        staying = [path for path in left if fates[path] is _Fate.STAYS]
        if restored:
            yield self._difference(Cause.BY_HAND, "changed", restored)
        if staying:
            yield replace(self._difference(Cause.BY_HAND, "changed", staying), stays=True)

    def _is_role(self, path: Path) -> bool:
        return (self.change.type, *path[:1]) in roles.COLLECTED

    def _fate(self, path: Path, schemas: Callable[[], Schemas]) -> _Fate:
        """Say what becomes of a drifted attribute that no known value is planned for."""
        owner = schemas().owner(self.change.type, path)
        if owner is Owner.PROVIDER:
            return _Fate.NOBODYS
        if any_true(at(self.change.unknown, path)):
            return _Fate.RESTORED
        if owner is Owner.EITHER and not self.plan.configuration.sets(self.change.address, path):
            return _Fate.STAYS
        return _Fate.NOBODYS

    def not_applied(self) -> Iterator[Difference]:
        """What of the code isn't applied."""
        change = self.change
        if self.deleted_by_hand:
            return
        if change.actions == ("no-op",):
            if what := change.becomes:
                yield Difference(Cause.CODE, change.address, what)
            return
        paths = [path for path in self.planned if self._is_new(path)]
        if paths or not change.changes_in_place_or_anew or change.is_tainted:
            yield self._difference(Cause.CODE, _ACTIONS.get(change.actions, REPLACED), paths)

    def _is_new(self, path: Path) -> bool:
        """Whether an apply would set what the state didn't have either."""
        if self.drift is None:
            return True
        shared = touches(path, self.drifted)
        return not shared or any(map(self._differs_from_state, shared))

    def _differs_from_state(self, path: Path) -> bool:
        assert self.drift
        before, after = at(self.drift.before, path), at(self.change.after, path)
        return bool(changed(before, after, at(self.change.unknown, path)))

    def following(self) -> Iterator[Difference]:
        """What changes only as something else does: to be told where there is nothing else."""
        if self.change.changes_in_place_or_anew and not self.deleted_by_hand:
            yield self._difference(Cause.CODE, _ACTIONS.get(self.change.actions, REPLACED), [])

    def _difference(self, cause: Cause, what: str, paths: Sequence[Path]) -> Difference:
        names = tuple(dict.fromkeys(map(text, paths)))
        return Difference(cause, self.change.address, what, names)


def _outputs(plan: Plan) -> Iterator[Difference]:
    """Outputs that an apply would set anew, unless what they are made of has drifted."""
    drifted = [
        f"{without_keys(change.address)}.{path[0]}"
        for change in plan.drifted
        for path in changed(change.before, change.after, secret=change.secret)
        if path
    ]
    for name, change in plan.outputs.items():
        references = plan.configuration.references(name)
        if _is_set_anew(change) and not any(_leads_to(each, drifted) for each in references):
            yield Difference(Cause.CODE, OUTPUT.format(name), "to be set")


def _is_set_anew(change: Mapping[str, Any]) -> bool:
    unknown = change.get("after_unknown", False)
    if change["actions"] == ["update"]:
        return bool(changed(change["before"], change["after"], unknown))
    return change["actions"] != ["no-op"] and unknown is not True


def _leads_to(reference: str, drifted: Sequence[str]) -> bool:
    """Whether a reference is made of one of these attributes.

    What a module's output is made of isn't followed: any resource of the module may be.
    """
    if reference.startswith("module."):
        reference = ".".join(reference.split(".")[:2])
    return any(
        f"{each}.".startswith(f"{reference}.") or reference.startswith((f"{each}.", f"{each}["))
        for each in drifted
    )
