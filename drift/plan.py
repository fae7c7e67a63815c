"""A plan as `terraform show -json` has it, as far as it is read here.

developer.hashicorp.com/terraform/internals/json-format
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drift.schemas import Configuration
from drift.values import Json, Object

FORMAT = "1."
# Data sources are read again by every plan: what they have is nobody's change.
MANAGED = "managed"
TAINTED = "replace_because_tainted"


class UnreadableError(Exception):
    """It is no whole plan; the message says why."""


@dataclass(frozen=True, slots=True)
class Change:
    """A resource before and after. `unknown` and `secret` are masks of it (drift.values)."""

    address: str
    deposed: str
    type: str
    actions: tuple[str, ...]
    before: Object | None
    after: Object | None
    unknown: Json
    secret: Json
    moved_from: str
    imported: bool
    reason: str

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Change:
        """Take an entry of `resource_changes` or `resource_drift`."""
        change = document["change"]
        return cls(
            address=document["address"],
            # What a replacement that failed has left stands beside what came in its place.
            deposed=document.get("deposed", ""),
            type=document["type"],
            actions=tuple(change["actions"]),
            before=change.get("before"),
            after=change.get("after"),
            unknown=change.get("after_unknown", False),
            secret=joined(change.get("before_sensitive"), change.get("after_sensitive")),
            moved_from=document.get("previous_address", ""),
            imported="importing" in change,
            reason=document.get("action_reason", ""),
        )

    @property
    def key(self) -> tuple[str, str]:
        """What it is known by."""
        return self.address, self.deposed

    @property
    def becomes(self) -> str:
        """What an apply does to the state alone; empty where it does nothing."""
        if self.moved_from:
            return f"to be moved from {self.moved_from}"
        return "to be imported" if self.imported else ""

    @property
    def changes_in_place_or_anew(self) -> bool:
        """Whether an apply changes what is there, or puts another in its place."""
        return "update" in self.actions or len(self.actions) > 1

    @property
    def stays_there(self) -> bool:
        """Whether it is there, and wanted still."""
        return self.changes_in_place_or_anew or self.actions == ("no-op",)

    @property
    def is_tainted(self) -> bool:
        """Whether it is put anew because an apply failed half-way."""
        return self.reason == TAINTED


@dataclass(frozen=True, slots=True)
class Plan:
    """What a plan found (`drifted`) and would do (`planned`), and the code that it is made from."""

    drifted: tuple[Change, ...]
    planned: tuple[Change, ...]
    outputs: Mapping[str, Mapping[str, Any]]
    configuration: Configuration

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Plan:
        """Take what `terraform show -json` printed.

        Raises UnreadableError for a plan of another format, of a part, or with errors.
        """
        if complaint := _complaint(document):
            raise UnreadableError(complaint)
        return cls(
            drifted=_managed(document, "resource_drift"),
            planned=_managed(document, "resource_changes"),
            outputs=document.get("output_changes", {}),
            configuration=Configuration.of_plan(document),
        )


def _complaint(document: Mapping[str, Any]) -> str:
    version = document.get("format_version", "")
    if not version.startswith(FORMAT):
        return f"The plan's format is {version or 'unknown'}, and {FORMAT}x is known here."
    if document.get("errored"):
        return "The plan ended with an error."
    # Terraform before 1.8 doesn't say.
    if not document.get("complete", True):
        return (
            "The plan is one of a part: Terraform was told to leave something out, or put it off."
        )
    return ""


def _managed(document: Mapping[str, Any], name: str) -> tuple[Change, ...]:
    entries = document.get(name, ())
    return tuple(Change.read(each) for each in entries if each["mode"] == MANAGED)


def joined(one: Json, other: Json) -> Json:
    """Join two masks: `true` wherever either has it."""
    if one is True or other is True:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: joined(one.get(key), other.get(key)) for key in {*one, *other}}
    if isinstance(one, list) and isinstance(other, list):
        longer = max(one, other, key=len)
        shared = [joined(first, second) for first, second in zip(one, other, strict=False)]
        return [*shared, *longer[len(shared) :]]
    return one or other or False
