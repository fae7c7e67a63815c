"""The contract of every answer: `lambda/openapi.yaml` and its schemas."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastjsonschema
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LAMBDA = Path(__file__).parents[2] / "lambda"
METHODS = ("get", "put", "post", "patch", "delete", "head", "options")
PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Expected:
    """What an answer with one status of an operation must look like."""

    headers: frozenset[str]
    bodies: Mapping[str, Callable[[Any], Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path, and its answers by status code."""

    name: str
    method: str
    path: re.Pattern[str]
    answers: Mapping[int, Expected]


def _resolve(node: Any, document: Mapping[str, Any]) -> Any:
    while isinstance(node, dict) and str(node.get("$ref", "")).startswith("#/"):
        found: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        node = found
    return node


@lru_cache
def _check_of(schema: str) -> Callable[[Any], Any]:
    parsed = json.loads(schema)
    if "$ref" in parsed:
        parsed = json.loads((LAMBDA / parsed["$ref"]).read_text())
    # The schemas that the contract states in place bear no $schema; they use nothing newer.
    parsed.setdefault("$schema", "http://json-schema.org/draft-04/schema#")
    return fastjsonschema.compile(parsed)


def _expected(answer: Mapping[str, Any]) -> Expected:
    required = (name for name in answer.get("headers", {}) if name.lower() in ("etag", "location"))
    return Expected(
        headers=frozenset(required),
        bodies={
            media: _check_of(json.dumps(content["schema"]))
            for media, content in answer.get("content", {}).items()
        },
    )


def _operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        pattern = re.compile(re.sub(r"\\\{[^/]+\\\}", r"[^/]+", re.escape(path)))
        for method in METHODS:
            if method not in item:
                continue
            operation = item[method]
            yield Operation(
                name=operation["operationId"],
                method=method.upper(),
                path=pattern,
                answers={
                    int(status): _expected(_resolve(answer, document))
                    for status, answer in operation["responses"].items()
                },
            )


@dataclass(frozen=True, slots=True)
class Contract:
    """All operations of the API."""

    operations: tuple[Operation, ...]

    def operation(self, method: str, path: str) -> Operation | None:
        """The operation that answers a method on a path (as sent, without its query)."""
        return next(
            (o for o in self.operations if o.method == method and o.path.fullmatch(path)), None
        )

    def promised(self) -> frozenset[tuple[str, int]]:
        """Every (operation, status) that the contract names."""
        return frozenset((o.name, status) for o in self.operations for status in o.answers)


@lru_cache
def read() -> Contract:
    """The contract as it lies in this checkout."""
    document = yaml.safe_load((LAMBDA / "openapi.yaml").read_text())
    return Contract(tuple(_operations(document)))


@lru_cache
def schema(name: str) -> Callable[[Any], Any]:
    """A check for `lambda/schemas/<name>.json`: raises JsonSchemaValueException."""
    return _check_of(json.dumps({"$ref": f"schemas/{name}.json"}))
