"""The text of a module's resources: what `terraform test` shows nothing of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from project.paths import TREE

BLOCK = re.compile(r'^resource "(\w+)" "(\w+)" {\n(.*?)^}$', re.M | re.S)
REFERENCE = re.compile(r"\b((?:aws|terraform)_\w+\.\w+)")
LIST = r"^ *{name} = (\[.*?\])$"


@dataclass(frozen=True)
class Resource:
    """A resource as it is written: aws_dynamodb_table.this, and what stands in its braces."""

    address: str
    body: str

    def listed(self, argument: str) -> set[str]:
        """The resources, with an attribute where one is named, of depends_on and its like."""
        found = re.search(LIST.format(name=argument), self.body, re.M | re.S)
        return set(re.findall(r"[\w.]+", found[1])) if found else set()


def text_of(module: str) -> str:
    """All of a module's own configuration."""
    files = sorted((TREE.root / "modules" / module).glob("*.tf"))
    return "\n".join(file.read_text() for file in files)


def resources(module: str) -> dict[str, Resource]:
    """Address → resource of a module."""
    found = BLOCK.findall(text_of(module))
    addresses = [(f"{kind}.{name}", body) for kind, name, body in found]
    return {address: Resource(address, body) for address, body in addresses}


def needs(found: Mapping[str, Resource], start: str) -> set[str]:
    """Every resource that has to be there before `start` is, by reference or by depends_on.

    A destroy takes them after it. What a local names isn't followed.
    """
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        for address in _named_in(found[ahead.pop()].body, found.keys()) - seen - {start}:
            seen.add(address)
            ahead.append(address)
    return seen


def _named_in(body: str, known: Iterable[str]) -> set[str]:
    return set(REFERENCE.findall(body)) & set(known)
