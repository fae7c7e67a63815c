"""Which mutants are tried: as many as asked for, the same ones for the same seed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from mutants.sites import Mutant


def sampled(
    mutants: Iterable[Mutant], sources: Mapping[str, str], seed: int, count: int
) -> list[Mutant]:
    """Choose at most so many, one of a place, and give them in the order of their files.

    What is chosen hangs on the seed and on where a mutant is in its function, not on the rest of
    the code: a sample stays as it was while tests, or other functions, change. `sources` are the
    files' texts; a mutant that is no Python any more is passed over.
    """
    ranked = sorted(_one_of_a_place(mutants, seed), key=lambda each: _rank(seed, _place(each)))
    good = (each for each in ranked if _is_python(each.applied(sources[each.file])))
    return sorted(islice(good, count), key=lambda each: (each.file, each.start, each.end))


def _one_of_a_place(mutants: Iterable[Mutant], seed: int) -> Iterator[Mutant]:
    chosen: dict[str, Mutant] = {}
    for each in sorted(mutants, key=lambda each: _rank(seed, f"{_place(each)} {each.text}")):
        chosen.setdefault(_place(each), each)
    return iter(chosen.values())


def _place(mutant: Mutant) -> str:
    return f"{mutant.file} {mutant.function} {mutant.place}"


def _rank(seed: int, what: str) -> bytes:
    return hashlib.sha256(f"{seed} {what}".encode()).digest()


def _is_python(source: str) -> bool:
    try:
        compile(source, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True
