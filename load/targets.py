"""What an account promises its users, and what it lets through."""

from __future__ import annotations

from dataclasses import dataclass

from project.account import read_settings
from project.console import ToolchainError
from project.paths import Tree


@dataclass(frozen=True, slots=True)
class Limits:
    """What refuses requests, as the account is set up; None for what has no limit.

    `method_rate` is a second for each method of the API in a Region, `address_requests` in five
    minutes from one address, the units a second of the table and of each of its indexes.
    """

    method_rate: float
    address_requests: float
    read_units: float | None
    write_units: float | None


@dataclass(frozen=True, slots=True)
class Targets:
    """An account's objectives and limits, and what a run's cost is made of.

    `availability` is the share of requests that don't fail, in percent, and `latency_ms` the time
    in which 99 in 100 are answered. `asks_twice` is whether a run has to be confirmed.
    """

    availability: float
    latency_ms: float
    limits: Limits
    max_dollars: float
    memory_mb: float
    trace_rate: float
    pool_tier: str
    asks_twice: bool


def read_targets(tree: Tree, account_name: str) -> Targets:
    """Read an account's. Raises ToolchainError when one of them is no number."""
    settings = read_settings(tree, account_name)
    ceiling = settings["table_max_throughput"] or {}
    try:
        return Targets(
            availability=float(settings["availability_objective"]),
            latency_ms=float(settings["latency_objective_ms"]),
            limits=Limits(
                method_rate=float(settings["throttle_rate_limit"]),
                address_requests=float(settings["edge_rate_limit"]),
                read_units=_number(ceiling.get("read")),
                write_units=_number(ceiling.get("write")),
            ),
            max_dollars=float(settings["load_max_dollars"]),
            memory_mb=float(settings["function_memory_mb"]),
            trace_rate=float(settings["trace_rate"]),
            pool_tier=str(settings["user_pool_tier"]).lower(),
            asks_twice=settings["drills_ask_twice"] is not False,
        )
    except (TypeError, ValueError) as error:
        raise ToolchainError(f"live/{account_name}/account.hcl: {error}.") from None


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))
