"""What a release moves: the two functions of a Region, their versions, and what tells those apart.

Pure. A version number means nothing beyond its function and its Region: the same code may be the
users' function's version 7 in one Region and 9 in the other. The fingerprint is the same wherever
the same code and settings run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["api", "health"]
# The users' function, and the one that answers the health routes; their names end so, too.
KINDS: tuple[Kind, Kind] = ("api", "health")
# What the gateway calls of each (modules/api).
ALIAS = "live"


@dataclass(frozen=True, slots=True)
class Versions:
    """One version of each function."""

    api: int
    health: int

    def of(self, kind: Kind) -> int:
        """The number of one function's version."""
        return self.api if kind == "api" else self.health

    def __str__(self) -> str:
        return f"version {self.api} (health {self.health})"

    @property
    def first(self) -> str:
        """The same at the beginning of a sentence."""
        return str(self).capitalize()


@dataclass(frozen=True, slots=True)
class Alias:
    """Where an alias leads: a version, and the share of calls that another one gets.

    `revision` changes with every update (GetAlias, RevisionId).
    """

    version: int
    weights: Mapping[int, float] = field(default_factory=dict)
    revision: str = ""


def served_by(aliases: Mapping[Kind, Alias]) -> Versions:
    """Name the versions that get the calls, or most of them."""
    return Versions(*(aliases[kind].version for kind in KINDS))


@dataclass(frozen=True, slots=True)
class Facts:
    """What a published version is made of, as far as it is the same in every Region."""

    code_sha256: str
    handler: str
    runtime: str
    architectures: tuple[str, ...]
    memory_mb: int
    timeout_seconds: int
    environment: Mapping[str, str]
    layers: tuple[str, ...] = ()
    snap_start: str = "None"

    @classmethod
    def of(cls, configuration: Mapping[str, Any]) -> Facts:
        """Read what GetFunctionConfiguration answers; the parts that name a Region are left out."""
        layers = (layer["Arn"] for layer in configuration.get("Layers", ()))
        return cls(
            code_sha256=configuration["CodeSha256"],
            handler=configuration.get("Handler", ""),
            runtime=configuration.get("Runtime", ""),
            architectures=tuple(configuration.get("Architectures", ())),
            memory_mb=configuration["MemorySize"],
            timeout_seconds=configuration["Timeout"],
            environment=dict(configuration.get("Environment", {}).get("Variables", {})),
            # arn:aws:lambda:<Region>:<account>:layer:<name>:<version>
            layers=tuple(arn.partition(":layer:")[2] or arn for arn in layers),
            snap_start=configuration.get("SnapStart", {}).get("ApplyOn", "None"),
        )


def fingerprint(facts: Mapping[Kind, Facts]) -> str:
    """Name what both functions' versions are made of, in 64 hexadecimal digits."""
    document = [
        [
            kind,
            facts[kind].code_sha256,
            facts[kind].handler,
            facts[kind].runtime,
            facts[kind].architectures,
            facts[kind].memory_mb,
            facts[kind].timeout_seconds,
            sorted(facts[kind].environment.items()),
            facts[kind].layers,
            facts[kind].snap_start,
        ]
        for kind in KINDS
    ]
    return hashlib.sha256(json.dumps(document, separators=(",", ":")).encode()).hexdigest()
