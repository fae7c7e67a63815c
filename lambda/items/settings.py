"""What the environment tells a function, read once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# What both functions need, and what the users' needs beside it.
REQUIRED = (
    "AWS_REGION",
    "TABLE_NAME",
    "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_METRICS_NAMESPACE",
)
REQUIRED_FOR_ITEMS = (*REQUIRED, "CLIENT_IDS", "MAX_ITEMS_PER_OWNER", "STANDBY_REGION")


class SettingsError(Exception):
    """The environment lacks what the function needs, or is no use; the message names it."""


@dataclass(frozen=True, slots=True)
class FunctionSettings:
    """What both functions are told.

    region: the Region that it runs in. table_name: the table, whose replica in that Region it uses.
    service, namespace: names that its logs and metrics carry. allowed_origins: the web origins
    whose pages may read its answers (`https://app.example.com`), or `*`.
    """

    region: str
    table_name: str
    service: str
    namespace: str
    allowed_origins: frozenset[str]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> FunctionSettings:
        """Read the settings; SettingsError names every variable that is missing or empty."""
        _require(environment, REQUIRED)
        return cls(**_shared(environment))


@dataclass(frozen=True, slots=True)
class Settings(FunctionSettings):
    """What the users' function is told beside that.

    client_ids: the app clients whose access tokens are taken; the pool may have others, for other
    purposes. max_items_per_owner: how many items one account may have, deleted ones included.
    standby_region: the pair's standby, this Region or the other, whose row says who may write.
    """

    client_ids: frozenset[str]
    max_items_per_owner: int
    standby_region: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings; SettingsError names every variable that is missing, empty or wrong."""
        _require(environment, REQUIRED_FOR_ITEMS)
        return cls(
            **_shared(environment),
            client_ids=_listed(environment["CLIENT_IDS"]),
            max_items_per_owner=_count("MAX_ITEMS_PER_OWNER", environment["MAX_ITEMS_PER_OWNER"]),
            standby_region=environment["STANDBY_REGION"],
        )


def _require(environment: Mapping[str, str], names: tuple[str, ...]) -> None:
    missing = [name for name in names if not environment.get(name)]
    if missing:
        raise SettingsError(f"set these variables on the function: {', '.join(missing)}")


def _shared(environment: Mapping[str, str]) -> dict[str, Any]:
    return {
        "region": environment["AWS_REGION"],
        "table_name": environment["TABLE_NAME"],
        "service": environment["POWERTOOLS_SERVICE_NAME"],
        "namespace": environment["POWERTOOLS_METRICS_NAMESPACE"],
        "allowed_origins": _listed(environment.get("ALLOWED_ORIGINS", "")),
    }


def _count(name: str, text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise SettingsError(f"set {name} on the function to a whole number from 1")
    return int(text)


def _listed(text: str) -> frozenset[str]:
    return frozenset(entry.strip() for entry in text.split(",") if entry.strip())
