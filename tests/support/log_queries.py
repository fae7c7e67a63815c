"""The fields that a Logs Insights query names, and those that a line of each log has."""

from __future__ import annotations

import re

# AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields: every event has these.
GENERATED = frozenset({"@ingestionTime", "@log", "@logStream", "@message", "@timestamp"})

# What the function's log has: Powertools' own keys, and those of lambda/items/observability.py,
# which tests/unit/test_observability.py holds to this list.
FUNCTION = frozenset(
    {
        *("level", "location", "message", "service", "timestamp", "xray_trace_id"),
        *("cold_start", "edge_request_id", "extended_request_id", "function_request_id"),
        *("owner_hash", "request_id"),
        *("duration_ms", "method", "route", "status"),
        *("exception_name", "reason", "stack"),
    }
)

# AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference: what standard logging delivers
# unless a delivery chooses its own (record_fields).
EDGE = frozenset(
    {
        *("date", "time", "time-taken", "time-to-first-byte"),
        *("c-ip", "c-port", "x-forwarded-for", "x-host-header"),
        *("cs(Cookie)", "cs(Host)", "cs(Referer)", "cs(User-Agent)"),
        *("cs-bytes", "cs-method", "cs-protocol", "cs-protocol-version"),
        *("cs-uri-query", "cs-uri-stem", "fle-encrypted-fields", "fle-status"),
        *("sc-bytes", "sc-content-len", "sc-content-type", "sc-range-end", "sc-range-start"),
        *("sc-status", "ssl-cipher", "ssl-protocol"),
        *("x-edge-detailed-result-type", "x-edge-location", "x-edge-request-id"),
        *("x-edge-response-result-type", "x-edge-result-type"),
    }
)

# AmazonCloudWatch/latest/logs/CWL_QuerySyntax: what is no field. Functions stand before a bracket.
WORDS = frozenset(
    {
        *("display", "dedup", "fields", "filter", "limit", "parse", "sort", "stats"),
        *("and", "as", "asc", "by", "desc", "in", "like", "not", "or"),
    }
)
NO_FIELD = re.compile(
    r"""^\s*\#.*$ | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*'  # comments and texts
      | (?<=like)\s*/(?:\\.|[^/])*/ | (?<==~)\s*/(?:\\.|[^/])*/  # patterns
    """,
    re.MULTILINE | re.VERBOSE,
)
FIELD = re.compile(r"`([^`]+)`|(@?\b[A-Za-z_][\w.]*)\b(?!\s*\()")


def fields(query: str) -> set[str]:
    """Give the fields that a query reads; those that it makes (`as`) are its own."""
    rest = NO_FIELD.sub(" ", query)
    made = set(re.findall(r"\bas\s+(\w+)", rest))
    named = {quoted or plain for quoted, plain in FIELD.findall(rest)}
    return {name for name in named if name.lower() not in WORDS} - made
