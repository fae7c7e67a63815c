"""A block means the same pasted into bash and into zsh, at a prompt.

What differs there, by zsh's manual: an interactive zsh knows no comments unless its option
INTERACTIVE_COMMENTS is set (zshoptions), a pattern that matches no file is an error (NOMATCH), an
unquoted variable is one word (SH_WORD_SPLIT is off), and some names are the shell's own (zshparam).
"""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import Block, Page, pages
from tests.docs.shell_text import Comment, split

PAGES = pages()
# zshparam: parameters that zsh sets or ties to another; an assignment is ignored, or does more.
ZSH_OWN = frozenset(
    {
        "ARGC", "COLUMNS", "EGID", "EUID", "GID", "HISTCMD", "HOST", "HOSTTYPE", "LINENO",
        "LINES", "MACHTYPE", "OSTYPE", "PPID", "PROMPT", "PS1", "RANDOM", "SECONDS",
        "SHLVL", "TTY", "TTYIDLE", "UID", "USERNAME", "VENDOR", "aliases", "argv",
        "builtins", "cdpath", "commands", "fpath", "functions", "history", "historywords",
        "jobdirs", "jobstates", "jobtexts", "mailpath", "manpath", "module_path",
        "nameddirs", "options", "parameters", "path", "pipestatus", "prompt", "psvar",
        "signals", "status", "userdirs", "usergroups", "watch",
    }
)  # fmt: skip
# A comment that zsh takes for a command `#` with these words does nothing but say so.
HARMLESS = re.compile(r"#[\w ,.:/+=-]*")
ASSIGNED = re.compile(
    r"(?<![\w$-])([A-Za-z_]\w*)=|\bfor (\w+) in\b|\bread (?:-\w+ )*(\w+)",
)
# `*` and `?` and `[` that a shell would look for files with; `[ ` is the test, `[[` as well.
PATTERN = re.compile(r"[^\s;|&]*(?:[*?]|\[(?![\s\[]))[^\s;|&]*")
OF_THE_SHELL = re.compile(
    r"\$\(\([^\n]*\)\)|\$\{[^}]*\}|\$[?*@#!]|<\([^)]*\)|\[\[.*?\]\]", re.DOTALL
)


def _blocks(page: Page) -> list[Block]:
    return [block for block in page.blocks() if block.language == "sh"]


each_page = pytest.mark.parametrize("page", [p for p in PAGES if _blocks(p)], ids=lambda p: p.name)


@each_page
def test_no_backtick_stands_in_a_command(page: Page) -> None:
    """In zsh a comment's backticks are run. JMESPath's literals can be raw strings in '…'."""
    assert [block.line for block in _blocks(page) if "`" in block.text] == []


@each_page
def test_a_comment_has_a_line_of_its_own_and_can_do_no_harm(page: Page) -> None:
    assert [
        (block.line, comment.text)
        for block in _blocks(page)
        for comment in split(block.text).comments
        if not _harmless(comment)
    ] == []


def _harmless(comment: Comment) -> bool:
    return comment.alone and bool(HARMLESS.fullmatch(comment.text))


@each_page
def test_no_variable_has_a_name_that_zsh_keeps_for_itself(page: Page) -> None:
    assert [
        (block.line, name)
        for block in _blocks(page)
        for found in ASSIGNED.findall(split(block.text).bare)
        for name in found
        if name in ZSH_OWN
    ] == []


@each_page
def test_nothing_that_looks_like_a_pattern_is_unquoted(page: Page) -> None:
    assert [
        (block.line, word)
        for block in _blocks(page)
        for word in PATTERN.findall(OF_THE_SHELL.sub("v", split(block.text).bare))
    ] == []


@each_page
def test_no_unquoted_variable_counts_on_being_split(page: Page) -> None:
    texts = [(block.line, block.text) for block in _blocks(page)]
    several = {
        name for _, text in texts for name in re.findall(r"\b([A-Za-z_]\w*)=[\"'][^\"'$]* ", text)
    }
    assert [
        (line, name)
        for line, text in texts
        for name in re.findall(r"\$\{?([A-Za-z_]\w*)", split(text).bare)
        if name in several
    ] == []


@each_page
def test_no_exclamation_mark_recalls_a_command(page: Page) -> None:
    """History expansion: in double quotes, too, and in bash as well."""
    assert [
        block.line
        for block in _blocks(page)
        if re.search(r"!(?![\s=])", split(block.text).bare + split(block.text).quoted)
    ] == []


@pytest.mark.parametrize(
    ("text", "bare", "quoted", "comments"),
    [
        ("a 'b # c' # d\n", "a q \n", "", [Comment("# d", alone=False)]),
        ('# x\na "b\n# c" d#e\n', "\na q d#e\n", " b\n# c", [Comment("# x", alone=True)]),
        ("a <<'END' > b\n# it's python\nEND\nc\n", "a <<q > b\nc\n", "", []),
        ("a <<< b\nc \\# d\n", "a <<< b\nc   d\n", "", []),
    ],
)
def test_the_parts_of_a_block_are_told_apart(
    text: str, bare: str, quoted: str, comments: list[Comment]
) -> None:
    found = split(text)

    assert (found.bare, found.quoted, found.comments) == (bare, quoted, comments)
