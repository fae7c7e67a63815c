"""How much a run asks for, what stands against it, and what it may cost. Said before it begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from costs.arithmetic import Estimate
from load.habits import Habits
from load.targets import Limits, Targets
from project.console import ToolchainError

# AWS WAF counts an address' requests over five minutes (modules/edge/waf.tf).
ADDRESS_SECONDS = 300.0
# Chance and retries add to what is asked for.
MARGIN = 1.2


@dataclass(frozen=True, slots=True)
class Size:
    """A run as it was asked for: users, requests a second, minutes."""

    users: int
    rate: float
    minutes: float

    @property
    def seconds(self) -> float:
        """How long people open the app."""
        return 60 * self.minutes

    @property
    def requests(self) -> float:
        """How many requests of the API that is."""
        return self.rate * self.seconds

    @property
    def at_most(self) -> float:
        """How many it may become."""
        return MARGIN * self.requests

    def visits_a_second(self, habits: Habits) -> float:
        """How often somebody opens the app."""
        return self.rate / habits.requests_a_visit


def require_room(size: Size, targets: Targets, account_name: str) -> None:
    """Refuse what the account would: such a run would measure its limits and nothing else.

    Raises ToolchainError that names each setting.
    """
    obstacles = list(_obstacles(size, targets.limits, Habits()))
    if obstacles:
        raise ToolchainError(
            f"{account_name} refuses some of {size.rate:g} requests a second:\n  "
            + "\n  ".join(obstacles)
            + "\nAsk for a smaller RATE=, or raise what stands in the way (live/_defaults.hcl, "
            f"live/{account_name}/account.hcl)."
        )


def _obstacles(size: Size, limits: Limits, habits: Habits) -> Iterator[str]:
    address_rate = limits.address_requests / ADDRESS_SECONDS
    # A rate that is soon over never fills five minutes.
    if size.rate > address_rate and size.requests > limits.address_requests:
        yield (
            f"edge_rate_limit: {limits.address_requests:,.0f} in five minutes from one address, "
            f"which is {address_rate:.0f} a second, and all of them come from here"
        )
    busiest = size.rate * habits.busiest_share
    if busiest > limits.method_rate:
        yield (
            f"throttle_rate_limit: {limits.method_rate:,.0f} a second of one method, and the "
            f"busiest gets {busiest:,.0f}"
        )
    # At least a unit for each write, of the table and of each index, and half of one for each read.
    writes = size.rate * habits.writes_a_visit / habits.requests_a_visit
    if limits.write_units is not None and writes > limits.write_units:
        yield (
            f"table_max_throughput: {limits.write_units:,.0f} write units a second, "
            f"and {writes:,.0f} are needed at least"
        )
    reads = 0.5 * (size.rate - writes)
    if limits.read_units is not None and reads > limits.read_units:
        yield (
            f"table_max_throughput: {limits.read_units:,.0f} read units a second, "
            f"and {reads:,.0f} are needed at least"
        )


def require_cheap(size: Size, dollars: float, targets: Targets) -> None:
    """Refuse what costs more than the account allows. Raises ToolchainError."""
    if dollars > targets.max_dollars:
        raise ToolchainError(
            f"{size.at_most:,.0f} requests of {size.users} users cost up to ${dollars:,.2f}, and a "
            f"run may cost ${targets.max_dollars:,.2f} (load_max_dollars): ask for less."
        )


def dollars_at_most(size: Size, targets: Targets, estimate: Estimate, per_million: float) -> float:
    """What a run costs at most, in dollars: its requests, and its users' month in the pool."""
    tier = estimate.prices[f"user_{targets.pool_tier}"]
    # What is free for the first 10,000 users may be used up.
    dearest = max(dollars for _, dollars in tier.tiers)
    return size.at_most / 1_000_000 * per_million + size.users * dearest


def announcement(size: Size, targets: Targets, dollars: float) -> str:
    """Say what is going to happen, and what bounds it."""
    limits = targets.limits
    table = (
        "the table has no limit"
        if limits.read_units is None and limits.write_units is None
        else f"the table takes {limits.read_units:g} read and {limits.write_units:g} write units"
    )
    return (
        f"{size.users} users, {size.rate:g} requests a second for {size.minutes:g} min: about "
        f"{size.requests:,.0f} requests, at most {size.at_most:,.0f}, up to ${dollars:,.2f} by the "
        f"prices of costs/ (ceiling ${targets.max_dollars:,.2f}).\n"
        f"What refuses more, a second: {limits.method_rate:,.0f} of each method in a Region, "
        f"{limits.address_requests / ADDRESS_SECONDS:,.0f} from this address; {table}."
    )
