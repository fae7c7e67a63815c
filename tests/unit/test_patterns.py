"""Every pattern that meets a caller's text takes time in proportion to it."""

from __future__ import annotations

import contextlib
import importlib
import json
import pkgutil
import re
from typing import TYPE_CHECKING, Any

import pytest

import items
from items import contract, etag
from local.observability.traces import header
from tests.unit.backtracking import Counted, Matcher, nasty

if TYPE_CHECKING:
    from collections.abc import Iterator
SIZE = 24
# Four times the text: four times the steps where they are linear, sixteen times where quadratic.
GROWTH = 6


def of_modules() -> dict[str, str]:
    """The patterns that the function's modules hold, and the embedded AWS for the trace header."""
    names = [f"items.{module.name}" for module in pkgutil.iter_modules(items.__path__)]
    modules = [*map(importlib.import_module, names), header]
    return {
        f"{module.__name__}.{name}": value.pattern
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, re.Pattern)
    }


def of_schemas() -> dict[str, str]:
    """The contract's patterns, which the gateway applies to a body before anything else does."""

    def within(document: Any, path: str) -> Iterator[tuple[str, str]]:
        for name, value in document.items():
            if isinstance(value, dict):
                yield from within(value, f"{path}/{name}")
            elif name == "pattern":
                yield path, value

    return {
        path: pattern
        for file in sorted(contract.SCHEMAS.glob("*.json"))
        for path, pattern in within(json.loads(file.read_text("utf-8")), file.stem)
    }


PATTERNS = of_modules() | of_schemas()


def most_steps(pattern: str, size: int) -> int:
    """The steps for the worst of the nasty texts."""

    def steps(text: str) -> int:
        matcher = Matcher(pattern)
        assert matcher.fullmatch(text) is (re.fullmatch(pattern, text) is not None)
        return matcher.steps

    return max(map(steps, nasty(pattern, size)))


def assert_linear(few: int, many: int) -> None:
    assert many <= GROWTH * few, f"{few} steps, and {many} for four times the text"


def test_there_are_patterns_to_look_at() -> None:
    assert {"items.request._KEY", "items.cursor._SORT_KEY", "item-create/properties/title"} <= set(
        PATTERNS
    )


@pytest.mark.parametrize("pattern", sorted(set(PATTERNS.values())))
def test_a_pattern_takes_steps_in_proportion_to_the_text(pattern: str) -> None:
    assert_linear(most_steps(pattern, SIZE), most_steps(pattern, 4 * SIZE))


@pytest.mark.parametrize(
    "pattern",
    [r'[ \t]*(?:"[a-z]*")?[ \t]*(,|$)', r"^[^\x00]*[^\s\x00][^\x00]*$", r"a*a*b"],
)
def test_one_that_doesnt_is_found(pattern: str) -> None:
    with pytest.raises(AssertionError, match="four times the text"):
        assert_linear(most_steps(pattern, 8), most_steps(pattern, 32))


PIECES = ['"a"', 'W/"a"', " ", "\t", ",", '"', "W/", "a", '" ', '", ', "é", "\x00", "*"]


def lists_of_tags(size: int) -> Iterator[str]:
    for beginning in ("", '"a",', '"a", W/"b" ,'):
        for one in PIECES:
            for other in PIECES:
                for end in ("", "x", '"', ",", '"z"'):
                    yield beginning + (one * size) + (other * size) + end
                    yield beginning + (one + other) * size + end


def steps_of_parse(value: str, monkeypatch: pytest.MonkeyPatch) -> int:
    counted = {
        name: Counted(value) for name, value in vars(etag).items() if isinstance(value, re.Pattern)
    }
    with monkeypatch.context() as patched:
        for name, pattern in counted.items():
            patched.setattr(etag, name, pattern)
        with contextlib.suppress(etag.EntityTagError):
            etag.parse(value)
    return sum(pattern.matcher.steps for pattern in counted.values())


def test_a_list_of_entity_tags_is_read_in_steps_in_proportion_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = max(steps_of_parse(value, monkeypatch) for value in lists_of_tags(10))
    many = max(steps_of_parse(value, monkeypatch) for value in lists_of_tags(40))
    assert_linear(few, many)
