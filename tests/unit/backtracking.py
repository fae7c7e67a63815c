"""How many steps a backtracking matcher takes: a count, where a clock would tell of the machine.

It matches as `re` does, the longest first and back from there, without the short cuts that spare
`re` some of it: what is linear here is linear there.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Node = tuple[Any, Any]

# Private, and unknown to the standard library's type stubs.
codes: Any = import_module("re._constants")
parser: Any = import_module("re._parser")

CATEGORIES: dict[Any, Callable[[str], bool]] = {
    codes.CATEGORY_SPACE: str.isspace,
    codes.CATEGORY_NOT_SPACE: lambda character: not character.isspace(),
    codes.CATEGORY_DIGIT: str.isdigit,
    codes.CATEGORY_WORD: lambda character: character.isalnum() or character == "_",
}
REPEATS = {codes.MAX_REPEAT, codes.MIN_REPEAT}
CANDIDATES = "".join(map(chr, range(128))) + "é"


class Matcher:
    """One pattern, and the steps that have been taken for it so far."""

    def __init__(self, pattern: str) -> None:
        self.nodes: list[Node] = list(parser.parse(pattern))
        self.steps = 0

    def fullmatch(self, text: str) -> bool:
        """Match the whole text."""
        return any(end == len(text) for end in self._ends(self.nodes, text, 0))

    def match(self, text: str, at: int = 0) -> bool:
        """Match at a position."""
        return next(self._ends(self.nodes, text, at), None) is not None

    def search(self, text: str) -> bool:
        """Match anywhere."""
        return any(self.match(text, at) for at in range(len(text) + 1))

    def _ends(self, nodes: Sequence[Node], text: str, at: int) -> Iterator[int]:
        """Give where the nodes can end, in the order in which they are tried."""
        if not nodes:
            yield at
            return
        for end in self._of_one(nodes[0], text, at):
            yield from self._ends(nodes[1:], text, end)

    def _of_one(self, node: Node, text: str, at: int) -> Iterator[int]:
        self.steps += 1
        code, argument = node
        if is_character(node):
            if at < len(text) and fits(node, text[at]):
                yield at + 1
        elif code is codes.AT:
            yield from [at] if is_at(argument, text, at) else ()
        elif code is codes.SUBPATTERN:
            yield from self._ends(list(argument[-1]), text, at)
        elif code is codes.BRANCH:
            for way in argument[1]:
                yield from self._ends(list(way), text, at)
        elif code is codes.MIN_REPEAT:
            yield from self._of_lazy(argument, text, at)
        else:
            assert code is codes.MAX_REPEAT, f"no steps are known for {code}"
            yield from self._of_repeat(argument, text, at)

    def _of_lazy(self, repeat: Any, text: str, at: int) -> Iterator[int]:
        least, most, inner = repeat
        (node,) = inner
        assert is_character(node), "no steps are known for more than a character"
        end = at
        while True:
            self.steps += 1
            if end - at >= least:
                yield end
            if end == len(text) or end - at == int(most) or not fits(node, text[end]):
                return
            end += 1

    def _of_repeat(self, repeat: Any, text: str, at: int) -> Iterator[int]:
        least, most, inner = repeat
        body = list(inner)
        if len(body) == 1 and is_character(body[0]):
            yield from self._run(body[0], (least, most), text, at)
        else:
            yield from self._repeats(body, (least, most), text, at)

    def _run(self, node: Node, times: tuple[int, Any], text: str, at: int) -> Iterator[int]:
        end = at
        while end < len(text) and end - at < int(times[1]) and fits(node, text[end]):
            self.steps += 1
            end += 1
        while end - at >= times[0]:
            self.steps += 1
            yield end
            end -= 1

    def _repeats(
        self, body: list[Node], times: tuple[int, Any], text: str, at: int
    ) -> Iterator[int]:
        least, most = times
        if int(most) > 0:
            for end in self._ends(body, text, at):
                if end > at:
                    yield from self._repeats(body, (max(0, least - 1), int(most) - 1), text, end)
        if least == 0:
            yield at


def is_at(place: Any, text: str, at: int) -> bool:
    """Tell whether a position is the place that a pattern names."""
    if place is codes.AT_BOUNDARY:
        before, after = text[max(0, at - 1) : at], text[at : at + 1]
        return bool(is_word(before)) is not bool(is_word(after))
    assert place in {codes.AT_BEGINNING, codes.AT_END}, f"no place is known as {place}"
    return at == (0 if place is codes.AT_BEGINNING else len(text))


def is_word(character: str) -> bool:
    """Tell whether a character is one of a word; none is not."""
    return CATEGORIES[codes.CATEGORY_WORD](character)


def is_character(node: Node) -> bool:
    """Tell whether a node stands for one character."""
    return node[0] in {codes.LITERAL, codes.NOT_LITERAL, codes.ANY, codes.IN}


def fits(node: Node, character: str) -> bool:
    """Tell whether a character is one that the node stands for."""
    code, argument = node
    if code is codes.IN:
        members = [member for member in argument if member[0] is not codes.NEGATE]
        return any(fits(one, character) for one in members) is (len(members) == len(argument))
    if code is codes.RANGE:
        return bool(argument[0] <= ord(character) <= argument[1])
    if code is codes.CATEGORY:
        return bool(CATEGORIES[argument](character))
    if code is codes.ANY:
        return character != "\n"
    return (ord(character) == argument) is (code is codes.LITERAL)


def _characters(nodes: Iterable[Node]) -> Iterator[str]:
    """Give one character, at least, that each part of a pattern takes."""
    for node in nodes:
        code, argument = node
        if code is codes.LITERAL:
            yield chr(argument)
        elif is_character(node):
            yield next(one for one in CANDIDATES if fits(node, one))
        elif code is codes.SUBPATTERN:
            yield from _characters(argument[-1])
        elif code is codes.BRANCH:
            for way in argument[1]:
                yield from _characters(way)
        elif code in REPEATS:
            yield from _characters(argument[2])


def _beginnings(nodes: Iterable[Node]) -> Iterator[str]:
    """Give what comes before each part of a pattern that repeats, as short as it can be."""
    text = ""
    yield text
    for node in nodes:
        if node[0] in REPEATS:
            yield text
        times = node[1][0] if node[0] in REPEATS else 1
        inner = node[1][2] if node[0] in REPEATS else [node]
        text += "".join(_characters(inner)) * times
    yield text


def nasty(pattern: str, size: int) -> Iterator[str]:
    """Give texts that make a matcher of the pattern try again and again, if anything does.

    What its parts take, repeated alone and by turns, after what leads there, and spoilt at the end.
    """
    nodes = list(parser.parse(pattern))
    # The first of each kind will do: all hexadecimal digits are one to the pattern.
    characters = list(dict.fromkeys([*_characters(nodes), " ", "\x00"]))[:8]
    for beginning in dict.fromkeys(_beginnings(nodes)):
        for one in characters:
            for end in ("", "\x00", ","):
                yield beginning + one * size + end
                for other in characters:
                    yield beginning + (one + other) * (size // 2) + end
                    yield beginning + one * (size // 2) + other * (size // 2) + end


class Counted:
    """Stands in for a compiled pattern: matches as it does, and counts the steps."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern
        self.matcher = Matcher(pattern.pattern)

    def match(self, text: str, position: int = 0) -> re.Match[str] | None:
        """Match at a position."""
        found = self._pattern.match(text, position)
        assert self.matcher.match(text, position) is (found is not None)
        return found
