"""Policies that somebody gave to a role of ours by hand, which no plan takes away.

A role lists all that it has, whoever gave it, while each policy of ours is a resource of its own
(registry.terraform.io/providers/hashicorp/aws: aws_iam_role). One more is none of anybody's drift.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from drift.finding import Cause, Difference
from drift.plan import Change
from drift.values import Json, Object, at

ROLE = "aws_iam_role"


@dataclass(frozen=True, slots=True)
class _Collected:
    """An attribute of a role's that collects what resources of a type give it.

    `listed` names an element of it, `given` what such a resource gives.
    """

    attribute: str
    listed: Callable[[Json], str]
    type: str
    given: str


_ATTRIBUTES = (
    _Collected(
        "inline_policy", lambda each: str(at(each, ("name",)) or ""), "aws_iam_role_policy", "name"
    ),
    _Collected("managed_policy_arns", str, "aws_iam_role_policy_attachment", "policy_arn"),
)
COLLECTED = frozenset((ROLE, each.attribute) for each in _ATTRIBUTES)


def extra_policies(planned: Sequence[Change]) -> Iterator[Difference]:
    """Name what roles have that no resource of the unit gives them, and no apply takes away."""
    roles = (change for change in planned if change.type == ROLE and change.stays_there)
    for role in roles:
        names = [
            f'{each.attribute}["{name}"]'
            for each in _ATTRIBUTES
            for name in sorted(_listed(each, role) - _given(each, role.before, planned))
        ]
        if names:
            yield Difference(Cause.BY_HAND, role.address, "changed", tuple(names), stays=True)


def _listed(collected: _Collected, role: Change) -> set[str]:
    """Name what a role has now, and keeps."""
    now, kept = (_list(state, collected.attribute) for state in (role.before, role.after))
    return {name for each in now if each in kept and (name := collected.listed(each))}


def _list(state: Object | None, attribute: str) -> list[Json]:
    found = (state or {}).get(attribute)
    return found if isinstance(found, list) else []


def _given(collected: _Collected, role: Object | None, planned: Sequence[Change]) -> set[str]:
    resources = (change for change in planned if change.type == collected.type)
    states = (state for each in resources for state in (each.before, each.after) if state)
    name = (role or {}).get("name")
    return {str(state.get(collected.given)) for state in states if state.get("role") == name}
