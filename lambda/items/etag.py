"""Preconditions by entity tag (RFC 9110 sections 8.8.3, 13.1.1 and 13.1.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Each begins with a character of its own and repeats one class that its end isn't in, so no text
# is read twice: the time is linear in the header's length.
_BLANK = re.compile(r"[ \t]*")
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')


class EntityTagError(ValueError):
    """A header is neither `*` nor a list of entity tags."""


@dataclass(frozen=True, slots=True)
class Condition:
    """The value of an If-Match or If-None-Match header.

    anything is the value `*`; otherwise strong and weak hold the tags, quotes included.
    """

    anything: bool
    strong: frozenset[str]
    weak: frozenset[str]

    def matches_strongly(self, etag: str) -> bool:
        """Tell whether the current strong tag passes If-Match: a weak tag never does."""
        return self.anything or etag in self.strong

    def matches_weakly(self, etag: str) -> bool:
        """Tell whether the current strong tag is among those of If-None-Match."""
        return self.anything or etag in self.strong or etag in self.weak


def parse(value: str) -> Condition:
    """Read a header's value; EntityTagError when it follows no rule of RFC 9110."""
    if value.strip(" \t") == "*":
        return Condition(anything=True, strong=frozenset(), weak=frozenset())
    strong: set[str] = set()
    weak: set[str] = set()
    position = _blank(value, 0)
    while position < len(value):
        if tag := _TAG.match(value, position):
            (weak if tag[1] else strong).add(f'"{tag[2]}"')
            position = _blank(value, tag.end())
        if position < len(value):
            if value[position] != ",":
                raise EntityTagError
            position = _blank(value, position + 1)
    if not strong and not weak:
        raise EntityTagError
    return Condition(anything=False, strong=frozenset(strong), weak=frozenset(weak))


def _blank(value: str, position: int) -> int:
    """Give the position where the white space at position ends."""
    blank = _BLANK.match(value, position)
    assert blank is not None  # an empty one is one, too
    return blank.end()
