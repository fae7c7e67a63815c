"""The contract's schemas, applied to bodies.

The very files that the gateway's models are made from. A validator is compiled when it is first
needed (about 5 ms each) and kept.
"""

from __future__ import annotations

import datetime
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastjsonschema

from items.problems import bad_body

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMAS = Path(__file__).parent.parent / "schemas"
MAX_UNKNOWN_NAMED = 5


@cache
def schema(name: str) -> dict[str, Any]:
    """Read schemas/<name>.json."""
    document: dict[str, Any] = json.loads((SCHEMAS / f"{name}.json").read_text("utf-8"))
    return document


@cache
def _validator(name: str) -> Callable[[object], object]:
    validate: Callable[[object], object] = fastjsonschema.compile(schema(name), use_default=False)
    return validate


def check(name: str, body: object) -> dict[str, Any]:
    """Give the body back when it fits schemas/<name>.json, else raise its 400."""
    try:
        _validator(name)(body)
    except fastjsonschema.JsonSchemaValueException as error:
        raise bad_body("The body doesn't fit; errors says where.", *_explain(error)) from None
    assert isinstance(body, dict)  # every schema of a body says so
    _check_day(body.get("due_on"))
    return body


def _check_day(due_on: str | None) -> None:
    """Refuse 30 February, which no pattern can."""
    if due_on is None:
        return
    try:
        datetime.date.fromisoformat(due_on)
    except ValueError:
        fault = {"pointer": "/due_on", "detail": "There is no such day in the calendar."}
        raise bad_body("The body doesn't fit; errors says where.", fault) from None


def _explain(error: fastjsonschema.JsonSchemaValueException) -> list[dict[str, str]]:
    """Say where and what, in words that never repeat what was sent but for unknown names."""
    path = [str(part) for part in error.path[1:]]
    if error.rule == "additionalProperties":
        known = error.definition["properties"]
        unknown = sorted(set(error.value) - set(known))[:MAX_UNKNOWN_NAMED]
        detail = f"Unknown; known are {', '.join(known)}."
        return [{"pointer": _pointer([*path, name]), "detail": detail} for name in unknown]
    if error.rule == "required":
        missing = [name for name in error.rule_definition if name not in error.value]
        detail = "Required, and missing."
        return [{"pointer": _pointer([*path, name]), "detail": detail} for name in missing]
    return [{"pointer": _pointer(path), "detail": _rule_in_words(error)}]


def _rule_in_words(error: fastjsonschema.JsonSchemaValueException) -> str:
    rule, limit = str(error.rule), error.rule_definition
    if rule == "type":
        return f"Must be of type {' or '.join([limit] if isinstance(limit, str) else limit)}."
    if rule == "enum":
        return f"Must be one of {', '.join(str(value) for value in limit if value is not None)}."
    words = {
        "minLength": f"Must be at least {limit} characters long.",
        "maxLength": f"Must be at most {limit} characters long.",
        "maxItems": f"Must hold at most {limit}.",
        "uniqueItems": "Must not hold the same value twice.",
    }
    return words.get(rule) or str(error.definition.get("description", "Holds what it may not."))


def _pointer(parts: list[str]) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1")[:100] for part in parts)
