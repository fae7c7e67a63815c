"""Hosted zones as the routing rules read them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

FailoverRole = Literal["PRIMARY", "SECONDARY"]

_OCTAL_ESCAPE = re.compile(r"\\([0-7]{3})")


def canonical_name(name: str) -> str:
    r"""Return a name as zones key it: lower case, one final dot, `\052` and the like undone.

    Route 53 stores letters in lower case and lists characters beyond a-z, 0-9, `-` and `_` as
    octal escapes (Developer Guide, "DNS domain name format"). An escaped dot or backslash stays
    escaped, for it belongs to a label.
    """
    bare = name[:-1] if name.endswith(".") and not name.endswith("\\.") else name
    return _OCTAL_ESCAPE.sub(_plain_character, bare.lower()) + "."


def _plain_character(escape: re.Match[str]) -> str:
    character = chr(int(escape.group(1), 8) & 0xFF)
    plain = character.isascii() and character.isprintable() and character not in ".\\ "
    return character.lower() if plain else escape.group(0)


@dataclass(frozen=True, slots=True)
class Simple:
    """One record set alone answers."""


@dataclass(frozen=True, slots=True)
class Failover:
    """The primary answers while it is healthy."""

    role: FailoverRole


@dataclass(frozen=True, slots=True)
class Weighted:
    """Answers in proportion to `weight`, 0 to 255."""

    weight: int


@dataclass(frozen=True, slots=True)
class Latency:
    """The record set whose Region is nearest to the client answers."""

    region: str


@dataclass(frozen=True, slots=True)
class MultiValue:
    """Up to eight healthy record sets answer together."""


Policy = Simple | Failover | Weighted | Latency | MultiValue


@dataclass(frozen=True, slots=True)
class AliasTarget:
    """Where an alias record points: a record of the same type, or an AWS resource's name."""

    name: str
    zone_id: str
    evaluate_target_health: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A resource record set; `values` are in Route 53's notation, and empty for an alias.

    `ttl` is in seconds and means nothing for an alias, which has its target's.
    """

    name: str
    type: str
    ttl: int = 0
    values: tuple[str, ...] = ()
    alias: AliasTarget | None = None
    set_identifier: str = ""
    policy: Policy = field(default_factory=Simple)
    health_check_id: str | None = None


@dataclass(frozen=True, slots=True)
class Zone:
    """A public hosted zone: `sets` maps a canonical name to its record sets by type.

    `existing` also holds the names that exist only as a parent of others.
    """

    id: str
    name: str
    sets: Mapping[str, Mapping[str, tuple[Record, ...]]]
    existing: frozenset[str]

    @classmethod
    def of(cls, zone_id: str, name: str, records: Iterable[Record]) -> Zone:
        """Index a zone's records."""
        apex = canonical_name(name)
        sets: dict[str, dict[str, tuple[Record, ...]]] = {}
        for record in records:
            by_type = sets.setdefault(canonical_name(record.name), {})
            by_type[record.type] = (*by_type.get(record.type, ()), record)
        return cls(zone_id, apex, sets, frozenset(_with_parents(sets, apex)))

    def covers(self, name: str) -> bool:
        """Tell whether a canonical name is the zone's apex or below it."""
        return name == self.name or name.endswith("." + self.name) or self.name == "."

    def at(self, name: str) -> Mapping[str, tuple[Record, ...]]:
        """Return the record sets at exactly this canonical name, by type."""
        return self.sets.get(name, {})


def parent_name(name: str) -> str:
    """Return the name one label up; escaped dots do not part labels."""
    return re.sub(r"^(?:\\.|[^.\\])*\.", "", name, count=1)


def _with_parents(names: Iterable[str], apex: str) -> set[str]:
    found = {apex}
    for name in names:
        found.update(_up_to(name, apex))
    return found


def _up_to(name: str, apex: str) -> Iterator[str]:
    while name.endswith("." + apex):
        yield name
        name = parent_name(name)
