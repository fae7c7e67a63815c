"""Which units of an account a change of files touches, so that a pull request plans no others.

A unit that only reads another's outputs isn't among them: its plan can't differ before that other
one is applied.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from project.paths import Tree

# Of live/_units: what stands in every unit.
SHARED = frozenset({"command.hcl", "provider.tftpl", "provider_locks"})
# What else every unit of every account is made with.
EVERY_UNIT = frozenset({"terragrunt.hcl", "live/_defaults.hcl", "toolchain/pins.py"})
# What the function is packed from, which its module's unit deploys.
PACKAGED = ("lambda/", "toolchain/package.py")
PACKAGED_IN = "api"
# What of a module's folder Terraform reads nothing of.
NOT_APPLIED = ("tests", "README.md")
_MADE_OF = re.compile(r'source\s*=\s*"\.\./([a-z_]+)"')


@dataclass(frozen=True, slots=True)
class Layout:
    """An account's units, such as global/data, and the modules that each module is made of."""

    account: str
    units: frozenset[str]
    made_of: Mapping[str, frozenset[str]]

    def of_module(self, module: str) -> set[str]:
        """Name the units that a module is part of: a unit is called as its module."""
        named = {unit: PurePosixPath(unit).name for unit in self.units}
        return {
            unit
            for unit, own in named.items()
            if module == own or module in self.made_of.get(own, ())
        }

    def in_area(self, area: str) -> set[str]:
        """Name the units of an area: global, or a Region."""
        return {unit for unit in self.units if unit.startswith(f"{area}/")}


def read_layout(tree: Tree, account: str) -> Layout:
    """Read which units an account has and what their modules are made of."""
    folder = tree.account(account)
    units = {path.parent.relative_to(folder).as_posix() for path in _unit_files(folder)}
    modules = sorted(tree.root.joinpath("modules").glob("*/*.tf"))
    made_of: dict[str, frozenset[str]] = {}
    for path in modules:
        named = frozenset(_MADE_OF.findall(path.read_text()))
        made_of[path.parent.name] = made_of.get(path.parent.name, frozenset()) | named
    return Layout(account, frozenset(units), made_of)


def _unit_files(folder: Path) -> Iterable[Path]:
    return folder.glob("*/*/terragrunt.hcl")


def touched(paths: Iterable[str], layout: Layout) -> frozenset[str]:
    """Name the units that a change of these files (as git names them) touches."""
    return frozenset(unit for path in paths for unit in _touched_by(PurePosixPath(path), layout))


def _touched_by(path: PurePosixPath, layout: Layout) -> Iterable[str]:
    if str(path) in EVERY_UNIT:
        return layout.units
    packaged = layout.of_module(PACKAGED_IN) if str(path).startswith(PACKAGED) else set()
    return packaged or _touched_in(path.parts, layout)


def _touched_in(parts: tuple[str, ...], layout: Layout) -> Iterable[str]:
    match parts:
        case ("modules", module, inner, *_):
            return () if inner in NOT_APPLIED else layout.of_module(module)
        case ("modules", *_):
            return layout.units
        case ("live", "_units", name, *_):
            return layout.units if name in SHARED else layout.of_module(name.removesuffix(".hcl"))
        case ("live", layout.account, *below):
            return _touched_below(below, layout)
        case _:
            return ()


def _touched_below(below: list[str], layout: Layout) -> Iterable[str]:
    match below:
        case [_]:
            return layout.units
        case [area, _]:
            return layout.in_area(area)
        case [area, unit, *_]:
            return {f"{area}/{unit}"} & layout.units
        case _:
            return ()
