"""Prices, quantities, and the sums of both. Dollars and months throughout."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Source:
    """The page that a price stands on."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for `per` units: so many units at so much, then so many at another price."""

    source: Source
    per: int
    tiers: tuple[tuple[float, float], ...]

    def parts(self, units: float) -> list[tuple[float, float]]:
        """Split units by the tiers that they reach: (units, dollars for `per` of them)."""
        found = []
        for size, dollars in self.tiers:
            taken = min(units, size)
            if taken > 0:
                found.append((taken, dollars))
            units -= taken
        return found or [(0.0, self.tiers[0][1])]

    def of(self, units: float) -> float:
        """Say what so many units cost."""
        return sum(taken / self.per * dollars for taken, dollars in self.parts(units))


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that a sum is made of; `note` says what it counts, `assumed` why it is that."""

    value: float
    note: str = ""
    assumed: str = ""


@dataclass(frozen=True, slots=True)
class Term:
    """A product of quantities, and the price of one of them."""

    quantities: tuple[Quantity, ...]
    price: Price

    @property
    def units(self) -> float:
        """How many units are paid for."""
        return prod(quantity.value for quantity in self.quantities)

    @property
    def dollars(self) -> float:
        """What they cost."""
        return self.price.of(self.units)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table. `doubled`: half of it is the second Region's copy."""

    what: str
    unit: str
    terms: tuple[Term, ...]
    doubled: bool

    @property
    def dollars(self) -> float:
        """What the line costs a month."""
        return sum(term.dollars for term in self.terms)

    @property
    def source(self) -> Source:
        """The page of its prices: one service a line."""
        return self.terms[0].price.source


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the guide, and the units that cost from then on."""

    step: str
    units: tuple[str, ...]
    takes: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """Everything that the tables are made from."""

    as_of: str
    prices: Mapping[str, Price]
    quantities: Mapping[str, Quantity]
    busy: tuple[Row, ...]
    idle: tuple[Row, ...]
    tiers: tuple[Row, ...]
    steps: tuple[Step, ...]

    @property
    def idle_dollars(self) -> float:
        """A month of an account that nobody uses."""
        return total(self.idle)

    @property
    def busy_dollars(self) -> float:
        """A month of prod, what stands there anyhow included."""
        return total(self.busy) + self.idle_dollars

    def count(self, name: str) -> int:
        """Give a quantity that counts things."""
        return round(self.quantities[name].value)


def total(rows: Sequence[Row]) -> float:
    """Add up rows."""
    return sum(row.dollars for row in rows)


def read(folder: Path = FOLDER) -> Estimate:
    """Read both files. Raises KeyError for a name that neither has."""
    prices_file = tomllib.loads((folder / "prices.toml").read_text())
    estimate = tomllib.loads((folder / "estimate.toml").read_text())
    sources = {name: Source(**source) for name, source in prices_file["sources"].items()}
    prices = {name: _price(entry, sources) for name, entry in prices_file["prices"].items()}
    quantities: dict[str, Quantity] = {}
    for name, entry in estimate["quantities"].items():
        quantities[name] = _quantity(entry, quantities)

    def rows(table: str) -> tuple[Row, ...]:
        return tuple(_row(entry, quantities, prices) for entry in estimate[table])

    steps = tuple(
        Step(entry["step"], tuple(entry["units"]), entry["takes"]) for entry in estimate["steps"]
    )
    return Estimate(
        prices_file["as_of"], prices, quantities, rows("busy"), rows("idle"), rows("tiers"), steps
    )


def _price(entry: Mapping[str, Any], sources: Mapping[str, Source]) -> Price:
    tiers = entry.get("tiers") or [[float("inf"), entry["dollars"]]]
    return Price(
        sources[entry["source"]], entry.get("per", 1), tuple((size, cost) for size, cost in tiers)
    )


def _quantity(entry: Mapping[str, Any], known: Mapping[str, Quantity]) -> Quantity:
    if "value" in entry:
        value = float(entry["value"])
    elif "product" in entry:
        value = prod(known[name].value for name in entry["product"])
    else:
        value = sum(known[name].value for name in entry["sum"])
    return Quantity(value, entry.get("note", ""), entry.get("assumed", ""))


def _row(
    entry: Mapping[str, Any], quantities: Mapping[str, Quantity], prices: Mapping[str, Price]
) -> Row:
    terms = tuple(
        Term(tuple(quantities[name] for name in names), prices[price])
        for *names, price in entry["terms"]
    )
    return Row(entry["what"], entry.get("unit", ""), terms, entry.get("doubled", False))
