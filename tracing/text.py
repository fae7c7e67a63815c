"""What a person reads of a request that was followed."""

from __future__ import annotations

from collections.abc import Iterator

from tracing.identifiers import Line
from tracing.search import Found, ordered
from tracing.spans import Span

# What says most of each layer's line, in the order it is read.
SHOWN = {
    "edge": ("cs-method", "cs-uri-stem", "sc-status", "x-edge-detailed-result-type", "time-taken"),
    "gateway": ("httpMethod", "resourcePath", "status", "responseType", "integrationError"),
    "function": ("message", "method", "route", "status", "reason", "exception_name"),
}
TIMES = {"responseLatency": "ms", "integrationLatency": "ms in the function", "duration_ms": "ms"}


def described(found: Found) -> str:
    """Say what every layer has of the request, and how its time was spent."""
    return "\n".join(_paragraphs(found))


def _paragraphs(found: Found) -> Iterator[str]:
    yield "Ids: " + "  ".join(sorted(found.ids))
    yield ""
    for line in ordered(found.lines):
        yield _line(line)
    for trace, spans in found.spans.items():
        yield ""
        yield f"Trace {trace}"
        yield from map(_span, spans)
    for why in found.silent:
        yield f"Not asked: {why}"


def _line(line: Line) -> str:
    words = [value for name in SHOWN[line.layer] if (value := line.first(name))]
    times = [f"{value} {unit}" for name, unit in TIMES.items() if (value := line.first(name))]
    where = f"{line.layer} {'' if line.layer == 'edge' else line.region}"
    at = line.at or f"{line.first('date')} {line.first('time')}"
    return f"{at:<24}{where:<21}{' '.join(words)}{', '.join(['', *times])}"


def _span(span: Span) -> str:
    took = span.milliseconds
    spent = "unfinished" if took is None else f"{took:.1f} ms"
    return f"{'  ' * (span.depth + 1)}{span.name:<{30 - 2 * span.depth}}{spent:>12}  {span.note}"
