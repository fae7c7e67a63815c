"""The part of Velocity that the gateway's templates here are written in, and no more of it.

`#set`, `#if` … `#end`, references, strings, `!`, `==`, `!=` and `||`, after the Velocity user guide
(velocity.apache.org/engine/1.7/user-guide.html). Anything else raises: a template that needs more
is not evaluated by guesswork.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

TOKEN = re.compile(
    r"\s*(?:(?P<text>\"[^\"$]*\")|(?P<name>\$[A-Za-z][\w.()\"-]*)|(?P<sign>[=!]=|\|\||!|\(|\)))"
)
HEADER = re.compile(r'\$input\.params\(\)\.header\.get\("([^"]+)"\)')
OVERRIDE = "$context.responseOverride.header."
DIRECTIVE = re.compile(r"#(set|if|end)\b")

Value = str | bool | None


class NotEvaluatedError(Exception):
    """The template is written in more of Velocity than this knows."""


@dataclass
class Rendering:
    """One rendering of a template: what the caller sent, and what came of it."""

    request_headers: Mapping[str, str]
    variables: dict[str, Value] = field(default_factory=dict)
    overridden_headers: dict[str, str] = field(default_factory=dict)

    def look_up(self, name: str) -> Value:
        """A reference's value; None, Velocity's null, for what isn't there.

        The name of a header is found in the case that it was sent in: API Gateway's maps are
        case-sensitive (api-gateway-known-issues).
        """
        if header := HEADER.fullmatch(name):
            return self.request_headers.get(header[1])
        if not re.fullmatch(r"\$\w+", name):
            raise NotEvaluatedError(name)
        return self.variables.get(name)

    def assign(self, name: str, value: Value) -> None:
        if name.startswith(OVERRIDE):
            self.overridden_headers[name.removeprefix(OVERRIDE)] = str(value)
        elif re.fullmatch(r"\$\w+", name):
            # Null leaves a variable as it was (the guide, "Set").
            if value is not None:
                self.variables[name] = value
        else:
            raise NotEvaluatedError(name)


def overridden_headers(template: str, request_headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that the template sets in the answer to such a request.

    Raises NotEvaluatedError for what this doesn't know.
    """
    rendering = Rendering(request_headers)
    rest = _run(template, rendering, live=True)
    if rest.strip():
        raise NotEvaluatedError(rest)
    return rendering.overridden_headers


def _run(text: str, rendering: Rendering, *, live: bool) -> str:
    """Run directives up to the end, or up to an #end, and return what is after it."""
    while directive := DIRECTIVE.match(text.lstrip()):
        text = text.lstrip()[directive.end() :]
        if directive[1] == "end":
            return text
        inner, text = _parenthesized(text)
        if directive[1] == "if":
            text = _run(text, rendering, live=live and _true(_value(inner, rendering)))
        elif live:
            name, _, expression = inner.partition("=")
            rendering.assign(name.strip(), _value(expression, rendering))
    return text


def _parenthesized(text: str) -> tuple[str, str]:
    """(what is in the parentheses that the text begins with, what is after them)."""
    depth = 0
    for at, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if not depth:
            return text[1:at], text[at + 1 :]
    raise NotEvaluatedError(text)


def _true(value: Value) -> bool:
    """Null and false are false, and everything else, an empty string too, is true (1.7)."""
    return value is not None and value is not False


def _value(expression: str, rendering: Rendering) -> Value:
    tokens = _tokens(expression)
    value = _either(tokens, rendering.look_up)
    if tokens:
        raise NotEvaluatedError(expression)
    return value


def _tokens(expression: str) -> list[str]:
    tokens: list[str] = []
    expression = expression.rstrip()
    while expression:
        if not (token := TOKEN.match(expression)):
            raise NotEvaluatedError(expression)
        tokens.append(token[0].strip())
        expression = expression[token.end() :]
    return tokens


def _either(tokens: list[str], look_up: Callable[[str], Value]) -> Value:
    value = _equal(tokens, look_up)
    while tokens[:1] == ["||"]:
        tokens.pop(0)
        other = _equal(tokens, look_up)
        value = _true(value) or _true(other)
    return value


def _equal(tokens: list[str], look_up: Callable[[str], Value]) -> Value:
    value = _single(tokens, look_up)
    if tokens[:1] not in (["=="], ["!="]):
        return value
    wanted = tokens.pop(0) == "=="
    return (value == _single(tokens, look_up)) is wanted


def _single(tokens: list[str], look_up: Callable[[str], Value]) -> Value:
    if not tokens:
        raise NotEvaluatedError("an operand is missing")
    token = tokens.pop(0)
    if token == "!":
        return not _true(_single(tokens, look_up))
    if token.startswith('"'):
        return token[1:-1]
    if token.startswith("$"):
        return look_up(token)
    raise NotEvaluatedError(token)
