"""A block of shell, split into what the shell reads bare, what it reads in quotes, and comments.

No parser of the whole language: enough to say what a pasted line means in bash and in zsh.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# `<<'END'`: what follows, up to the word, is another program's text. `<<<` is a string, no heredoc.
HEREDOC = re.compile(r"(?<!<)<<-?\s*(['\"]?)(\w+)\1")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment; `alone` when nothing but space stands before it on its line."""

    text: str
    alone: bool


@dataclass(slots=True)
class ShellText:
    """The parts of a block. `bare` and `quoted` keep the block's order, with gaps as spaces."""

    bare: str = ""
    quoted: str = ""
    comments: list[Comment] = field(default_factory=list)


def split(text: str) -> ShellText:
    """Split a block; `quoted` is what stands in double quotes, where `$` and `!` still count."""
    found, rest = ShellText(), _without_heredocs(text)
    while rest:
        rest = _step(rest, found)
    return found


def _step(rest: str, found: ShellText) -> str:
    """Take one piece off the front of `rest`, put it where it belongs, and return what is left."""
    if rest[0] == "\\":
        found.bare += " "
        return rest[2:]
    if rest[0] in "'\"":
        return _string(rest, found)
    if rest[0] == "#" and (not found.bare or found.bare[-1].isspace()):
        comment, newline, after = rest.partition("\n")
        line = found.bare.rpartition("\n")[2]
        found.comments.append(Comment(comment, alone=not line.strip()))
        return newline + after
    found.bare += rest[0]
    return rest[1:]


def _string(rest: str, found: ShellText) -> str:
    pattern = r"'[^']*'" if rest[0] == "'" else r'"(?:\\.|[^"\\])*"'
    string = re.match(pattern, rest, re.DOTALL)
    assert string, f"a quote that never ends: {rest[:60]}"
    # A letter in its place, so that a word stays one word.
    found.bare += "q"
    if rest[0] == '"':
        found.quoted += f" {string[0][1:-1]}"
    return rest[string.end() :]


def _without_heredocs(text: str) -> str:
    kept, until = [], ""
    for line in text.splitlines():
        if until:
            until = "" if line.strip() == until else until
            continue
        kept.append(line)
        opened = HEREDOC.search(line)
        until = opened[2] if opened else ""
    return "\n".join(kept) + "\n"
