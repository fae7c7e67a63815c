"""What a mutant can be: mutmut's operators, and what it has none for, a check that is gone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import libcst as cst
from mutmut.mutation import mutators

# What is replaced in the source, and by what.
Edit = tuple[cst.CSTNode, cst.CSTNode]

# `cast` and type variables are for the type checker; the others refuse any other argument.
NOT_MUTATED_CALLS = frozenset({"cast", "TypeVar", "isinstance", "len"})
# Words for people, such as "at most": no name, no pattern, no expression.
PROSE = re.compile(r"""['"][^#=_<>{}/\\]* [^#=_<>{}/\\]*['"]""")
# A part of these is no expression of its own, or nothing that runs.
NOT_ENTERED = (cst.Annotation, cst.AssignTarget, cst.Decorator, cst.Import, cst.ImportFrom)


def edits_of(node: cst.CSTNode) -> Iterator[Edit]:
    """Give every small fault that can be put in a node's place, or in a part's of it."""
    for kind, operator in mutators.mutation_operators:
        # A `match` without a case is a statement of many lines.
        if isinstance(node, kind) and kind is not cst.Match:
            yield from ((node, mutated) for mutated in operator(node))
    yield from _without_statement(node)
    yield from _other_way(node)
    yield from _without_element(node)


def is_entered(node: cst.CSTNode) -> bool:
    """Whether anything in a node is mutated."""
    if isinstance(node, NOT_ENTERED) or _is_docstring(node) or _is_for_types(node):
        return False
    if isinstance(node, cst.SimpleString):
        return not PROSE.fullmatch(node.value)
    return not (isinstance(node, cst.Call) and _name(node.func) in NOT_MUTATED_CALLS)


def _name(node: cst.CSTNode) -> str:
    return node.value if isinstance(node, cst.Name) else ""


def _is_docstring(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Expr) and isinstance(node.value, cst.BaseString)


def _is_for_types(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.If) and _name(node.test) == "TYPE_CHECKING"


def _without_statement(node: cst.CSTNode) -> Iterator[Edit]:
    """Leave out what is only called, yielded or raised, and give nothing back."""
    if isinstance(node, cst.Expr | cst.Raise):
        yield node, cst.Pass()
    if isinstance(node, cst.Return) and node.value and _name(node.value) != "None":
        yield node, node.with_changes(value=None)


def _other_way(node: cst.CSTNode) -> Iterator[Edit]:
    """Go the other way at an `if`; take everything where a comprehension chooses."""
    if isinstance(node, cst.If):
        test = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        yield node.test, cst.UnaryOperation(cst.Not(), test)
    if isinstance(node, cst.CompIf):
        yield node.test, cst.Name("True")


def _without_element(node: cst.CSTNode) -> Iterator[Edit]:
    """Leave one of several elements out."""
    if not isinstance(node, cst.Tuple | cst.List | cst.Set | cst.Dict) or len(node.elements) < 2:
        return
    for place in range(len(node.elements)):
        left: Sequence[cst.CSTNode] = [*node.elements[:place], *node.elements[place + 1 :]]
        yield node, node.with_changes(elements=left)
