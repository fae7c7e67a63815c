from __future__ import annotations

import textwrap

import pytest

from mutants.sampling import sampled
from mutants.sites import Mutant, mutants_of

FILE = "some/file.py"


def changes(source: str) -> set[tuple[str, str]]:
    source = textwrap.dedent(source)
    found = (mutant.change(source) for mutant in mutants_of(FILE, source))
    return {(change.before, change.after) for change in found}


@pytest.mark.parametrize(
    ("source", "before", "after"),
    [
        # mutmut's operators, in a function and outside of one.
        ("LIMIT = 3\n", "LIMIT = 3", "LIMIT = 4"),
        ("def f(a):\n    return a <= 3\n", "return a <= 3", "return a < 3"),
        ("def f(a, b):\n    return a and b\n", "return a and b", "return a or b"),
        ("f(True)\n", "f(True)", "f(False)"),
        ("f(a=1, b=2)\n", "f(a=1, b=2)", "f(b=2)"),
        # What it has none for.
        ("def f(a):\n    if a:\n        g()\n", "if a:", "if not (a):"),
        ("def f(a):\n    yield check(a)\n", "yield check(a)", "pass"),
        ("def f(a):\n    raise ValueError(a)\n", "raise ValueError(a)", "pass"),
        ("def f(a):\n    return a.b\n", "return a.b", "return"),
        ("def f(a):\n    return [b for b in a if b]\n", "return [b for b in a if b]",
         "return [b for b in a if True]"),
        ("ALL = (one, two)\n", "ALL = (one, two)", "ALL = (one, )"),
    ],
)  # fmt: skip
def test_a_fault_is_put_in(source: str, before: str, after: str) -> None:
    assert (before, after) in changes(source)


def test_of_several_checks_each_can_be_gone() -> None:
    lines = ["first(a)", "second(a)", "third(a)"]
    source = (
        "def f(a):\n    return all((\n" + "".join(f"        {e},\n" for e in lines) + "    ))\n"
    )
    found = changes(source)
    assert {(f"{line},", "") for line in lines} <= found


@pytest.mark.parametrize(
    "source",
    [
        '"""What it is."""\n',
        "from some import thing\n",
        "a: dict[str, 'int'] = b.c\n".replace(" = b.c", ""),
        "@cache(3)\ndef f(a): ...\n".replace("...", "pass"),
        "if TYPE_CHECKING:\n    from some import thing\n",
    ],
)
def test_what_does_nothing_is_left_alone(source: str) -> None:
    assert changes(source) == set()


def test_words_for_people_are_left_alone_and_names_are_not() -> None:
    assert not [after for _, after in changes('say("at most one")\n') if "XX" in after]
    assert [after for _, after in changes('say("if-match")\n') if "XX" in after]
    assert [after for _, after in changes('say("owner = :owner")\n') if "XX" in after]


def test_a_mutant_knows_its_line_its_function_and_its_statement() -> None:
    lines = [
        "class A:",
        "    def f(self, a):",
        "        return (",
        "            3",
        "            <= a",
    ]
    source = "\n".join([*lines, "        )", ""])
    [mutant] = [m for m in mutants_of(FILE, source) if m.change(source).after == "4"]
    change = mutant.change(source)
    assert (change.file, change.line, change.where) == (FILE, 4, "A.f")
    assert (mutant.first, mutant.last) == (3, 6)


def test_the_head_of_a_compound_statement_is_not_all_of_it() -> None:
    source = "def f(a):\n    if a > 3:\n        g()\n        h()\n"
    [mutant] = [m for m in mutants_of(FILE, source) if m.change(source).after == "if a >= 3:"]
    assert (mutant.first, mutant.last) == (2, 2)


SOURCE = "".join(f"def f{n}(a):\n    return a + {n} < {n}\n" for n in range(40))


def taken(source: str, seed: int = 1, count: int = 20) -> set[tuple[str, int, str]]:
    mutants = sampled(mutants_of(FILE, source), {FILE: source}, seed, count)
    return {(each.function, each.place, each.text) for each in mutants}


def test_a_sample_is_as_large_as_asked_for_and_hangs_on_the_seed() -> None:
    assert len(taken(SOURCE)) == 20
    assert taken(SOURCE) == taken(SOURCE)
    assert taken(SOURCE) != taken(SOURCE, seed=2)
    assert len(taken(SOURCE, count=10_000)) > 20


def test_a_sample_has_one_mutant_of_a_place() -> None:
    places = [(function, place) for function, place, _ in taken(SOURCE, count=10_000)]
    assert len(places) == len(set(places))


def test_a_sample_stays_while_other_functions_change() -> None:
    longer = SOURCE.replace("def f0(a):\n", "def f0(a):\n    g(a)\n    h(a)\n")
    stays = {each for each in taken(SOURCE) if each[0] != "f0"}
    assert len(stays & taken(longer)) >= len(stays) - 6


def test_what_is_no_python_is_not_in_a_sample() -> None:
    source = "def f(a):\n    for b in a:\n        yield b\n    return\n"
    good = mutants_of(FILE, source)[0]
    bad = Mutant(FILE, "f", good.place + 1, 1, 1, 0, len("def"), "no python")
    assert sampled([bad, good], {FILE: source}, 1, 100) == [good]
