"""Which units an account has: each has to have a plan, but for those of a former standby."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from project.account import read_settings
from project.paths import Tree

FILE = "terragrunt.hcl"
CACHE = ".terragrunt-cache"


@dataclass(frozen=True, slots=True)
class Units:
    """Those to be planned, and those that no plan changes any more; such as global/data."""

    planned: tuple[str, ...]
    aside: tuple[str, ...]


def units_of(tree: Tree, account: str) -> Units:
    """Find an account's units. Raises ToolchainError when there is no such account."""
    former = read_settings(tree, account)["former_standby_region"]
    names = sorted(_names(tree, account))
    aside = tuple(name for name in names if name.split("/")[0] == former)
    return Units(tuple(name for name in names if name not in aside), aside)


def _names(tree: Tree, account: str) -> Iterator[str]:
    folder = tree.account(account)
    for file in folder.rglob(FILE):
        unit = file.parent.relative_to(folder)
        if CACHE not in unit.parts:
            yield unit.as_posix()
