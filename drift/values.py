"""Where two values of a resource differ, as Terraform's JSON has them: as paths, never as values.

A mask has the structure of its value, with `true` wherever something is unknown or secret
(developer.hashicorp.com/terraform/internals/json-format, change representation).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Object = dict[str, Json]
Path = tuple[str | int, ...]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def changed(before: Json, after: Json, unknown: Json = False, secret: Json = False) -> list[Path]:
    """Give the paths at which a known value differs; empty where only what is blank does.

    A path ends at what is secret, and at a list of more than one element.
    """
    return list(_changed(before, after, unknown, secret, ()))


def _changed(before: Json, after: Json, unknown: Json, secret: Json, path: Path) -> Iterator[Path]:
    if unknown is True or same(before, after):
        return
    keys = () if secret is True else _common_keys(before, after)
    if not keys:
        if not _differs_by_the_unknown(before, after, unknown):
            yield path
        return
    for key in keys:
        yield from _changed(
            at(before, (key,)),
            at(after, (key,)),
            at(unknown, (key,)),
            at(secret, (key,)),
            (*path, key),
        )


def _common_keys(before: Json, after: Json) -> Sequence[str | int]:
    if isinstance(before, dict) and isinstance(after, dict):
        return sorted({*before, *after})
    # A block that there is once.
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after) == 1:
        return (0,)
    return ()


def _differs_by_the_unknown(before: Json, after: Json, unknown: Json) -> bool:
    """Whether lists of the same length differ in nothing that is known."""
    if not (isinstance(before, list) and isinstance(after, list) and isinstance(unknown, list)):
        return False
    return len(before) == len(after) and not any(
        changed(one, other, mask) for one, other, mask in zip(before, after, unknown, strict=False)
    )


def same(one: Json, other: Json) -> bool:
    """Whether two values are the same to a provider.

    Those made with SDKv2 can't tell null from a type's zero value, and read one back where the
    other was written (hashicorp.github.io/terraform-provider-aws/terraform-plugin-migrations).
    """
    if _is_blank(one) and _is_blank(other):
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return all(same(one.get(key), other.get(key)) for key in {*one, *other})
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _is_blank(value: Json) -> bool:
    return value is None or value in ("", 0, False) or value in ([], {})


def at(value: Json, path: Path) -> Json:
    """Give what stands at a path, or None; a mask's `true` stands all the way down."""
    for step in path:
        if value is True:
            return True
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def any_true(mask: Json) -> bool:
    """Whether a mask has anything."""
    if isinstance(mask, dict):
        return any(map(any_true, mask.values()))
    return any(map(any_true, mask)) if isinstance(mask, list) else mask is True


def touches(path: Path, others: Sequence[Path]) -> list[Path]:
    """Give the others that lie at, above or below a path, each cut to what both share."""
    cut = ((path[: len(other)], other[: len(path)]) for other in others)
    return [one for one, other in cut if one == other]


def text(path: Path) -> str:
    """Write a path as Terraform's language has it; a block that there is once needs no number."""
    parts = [step for step in path if isinstance(step, str)]
    return "".join(_part(step, first=place == 0) for place, step in enumerate(parts))


def _part(step: str, *, first: bool) -> str:
    if not _NAME.fullmatch(step):
        return f'["{step}"]'
    return step if first else f".{step}"
