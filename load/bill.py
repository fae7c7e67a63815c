"""What a million requests cost, from what a run took and the prices of costs/.

The first price of each tier, without what is free, and without what stands there anyhow: the
month's tables are in docs/cost.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from costs.arithmetic import Estimate
from load.targets import Targets
from load.usage import Usage

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Consumption:
    """What one request takes on average, both Regions together. `measured`: by a run."""

    read_units: float
    write_units: float
    call_seconds: float
    measured: bool


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the bill: dollars for a million requests, so much of it for each."""

    what: str
    each: str
    dollars: float
    measured: bool


def measured(usage: Usage) -> Consumption | None:
    """Work out what a request took; None where nothing was counted.

    By the calls that CloudWatch has, so that who else used the deployment is in both.
    """
    calls = sum(each.invocations for each in usage.values())
    if not calls:
        return None
    return Consumption(
        read_units=sum(each.read_units for each in usage.values()) / calls,
        write_units=sum(each.write_units for each in usage.values()) / calls,
        call_seconds=sum(each.duration_ms for each in usage.values()) / 1000 / calls,
        measured=True,
    )


def assumed(estimate: Estimate) -> Consumption:
    """What a request takes by the month's estimate."""
    value = {name: quantity.value for name, quantity in estimate.quantities.items()}
    write_units = value["copies_written"] + value["create_share"]
    return Consumption(
        read_units=value["read_share"] * value["units_a_read"],
        write_units=value["write_share"] * value["regions"] * write_units,
        call_seconds=value["call_seconds"],
        measured=False,
    )


def items(consumption: Consumption, targets: Targets, estimate: Estimate) -> Iterator[Item]:
    """Give the lines of a million requests."""
    value = {name: quantity.value for name, quantity in estimate.quantities.items()}
    gigabytes = {
        "data out": value["answer_gigabytes"] / value["requests"],
        "logs": value["log_gigabytes"] / value["requests"],
    }
    first = {name: each.tiers[0][1] / each.per for name, each in estimate.prices.items()}

    def item(what: str, units: float, unit: str, price: str, *, measured: bool = False) -> Item:
        return Item(what, f"{units:.3g} {unit}", MILLION * units * first[price], measured)

    by_run = consumption.measured
    yield item("API Gateway", 1, "request", "api_request", measured=True)
    yield item("CloudFront", 1, "request", "edge_request", measured=True)
    yield item("CloudFront's function", 1, "call", "edge_function_call", measured=True)
    yield item(
        "WAF, edge and Region", value["web_acls_passed"], "requests", "waf_request", measured=True
    )
    yield item("Lambda, requests", 1, "call", "function_request", measured=True)
    seconds = consumption.call_seconds * targets.memory_mb / 1024
    yield item("Lambda, time", seconds, "GB s", "function_second", measured=by_run)
    yield item("DynamoDB, reads", consumption.read_units, "units", "read_unit", measured=by_run)
    yield item("DynamoDB, writes", consumption.write_units, "units", "write_unit", measured=by_run)
    yield item("CloudFront, data out", gigabytes["data out"], "GB", "edge_gigabyte")
    yield item("Logs, taken in", gigabytes["logs"], "GB", "log_gigabyte")
    yield item("X-Ray", targets.trace_rate, "traces", "trace", measured=True)


def per_million(consumption: Consumption, targets: Targets, estimate: Estimate) -> float:
    """Dollars of a million requests."""
    return sum(each.dollars for each in items(consumption, targets, estimate))
