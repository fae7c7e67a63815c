"""What a provider says of an attribute: who may set it. And what the configuration does set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from drift.values import Json, Path

# What an argument has in place of further names.
_IS_EXPRESSION = {"references", "constant_value"}
_KEYS = re.compile(r'\["(?:[^"\\]|\\.)*"\]|\[\d+\]')


class Owner(Enum):
    """Who decides what an attribute holds."""

    PROVIDER = auto()
    CONFIGURATION = auto()
    # The configuration, or the provider where that says nothing.
    EITHER = auto()


@dataclass(frozen=True, slots=True)
class Schemas:
    """Of every resource type, as `terraform providers schema -json` has them."""

    blocks: Mapping[str, Mapping[str, Any]]

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Schemas:
        """Take what Terraform printed."""
        providers = document["provider_schemas"].values()
        types = (each.get("resource_schemas", {}) for each in providers)
        return cls({name: each["block"] for known in types for name, each in known.items()})

    def owner(self, resource_type: str, path: Path) -> Owner:
        """Say who decides; EITHER of what no schema knows, so that nothing is kept quiet."""
        return _owner(self.blocks.get(resource_type, {}), _names(path))


def _names(path: Path) -> list[str]:
    return [step for step in path if isinstance(step, str)]


def _owner(block: Mapping[str, Any], names: list[str]) -> Owner:
    if not names:
        return Owner.EITHER
    name, *rest = names
    if attribute := block.get("attributes", {}).get(name):
        nested = attribute.get("nested_type")
        return _owner(nested, rest) if nested and rest else _owner_of(attribute)
    inner = block.get("block_types", {}).get(name, {}).get("block")
    if inner is None:
        return Owner.EITHER
    return _owner(inner, rest) if rest else _owner_of_block(inner)


def _owner_of(attribute: Mapping[str, Any]) -> Owner:
    if not attribute.get("computed"):
        return Owner.CONFIGURATION
    return Owner.EITHER if attribute.get("optional") else Owner.PROVIDER


def _owner_of_block(block: Mapping[str, Any]) -> Owner:
    # A schema doesn't say of a block whether the provider may make one; of what is in it, it does.
    owners = {_owner_of(each) for each in block.get("attributes", {}).values()}
    inner = {_owner_of_block(each["block"]) for each in block.get("block_types", {}).values()}
    return Owner.EITHER if Owner.EITHER in owners | inner else Owner.CONFIGURATION


@dataclass(frozen=True, slots=True)
class Configuration:
    """What is written, as a plan repeats it: which arguments, and what outputs refer to."""

    root: Mapping[str, Any]

    @classmethod
    def of_plan(cls, plan: Mapping[str, Any]) -> Configuration:
        """Take it from a plan."""
        return cls(plan.get("configuration", {}).get("root_module", {}))

    def sets(self, address: str, path: Path) -> bool:
        """Whether the code gives an attribute of a resource a value.

        Arguments of a `dynamic` block aren't repeated in a plan: of those the answer is no.
        """
        *modules, resource = _split(address)
        module: Any = self.root
        for name in modules:
            module = module.get("module_calls", {}).get(name, {}).get("module", {})
        found = (each for each in module.get("resources", ()) if each["address"] == resource)
        return any(_sets(each.get("expressions", {}), _names(path)) for each in found)

    def references(self, output: str) -> list[str]:
        """Name what an output's value is made from, as closely as the plan does.

        Beside an attribute it names the resource that has it.
        """
        written = self.root.get("outputs", {}).get(output, {}).get("expression", {})
        named = written.get("references", ())
        return [each for each in named if not any(_is_of(other, each) for other in named)]


def _is_of(reference: str, resource: str) -> bool:
    return reference.startswith((f"{resource}.", f"{resource}["))


def without_keys(address: str) -> str:
    """Name a resource without the keys of `for_each` and `count`, as the code does."""
    return _KEYS.sub("", address)


def _split(address: str) -> list[str]:
    """Split an address into the names of its modules, and the resource's own address."""
    names = without_keys(address).split(".")
    modules = []
    while names[0] == "module":
        modules.append(names[1])
        names = names[2:]
    return [*modules, ".".join(names)]


def _sets(expressions: Json, names: list[str]) -> bool:
    if isinstance(expressions, list):
        return any(_sets(each, names) for each in expressions)
    if not names or not isinstance(expressions, dict) or _IS_EXPRESSION & expressions.keys():
        return True
    return names[0] in expressions and _sets(expressions[names[0]], names[1:])
