"""What API Gateway makes of headers between a client of a REST API and its Lambda function.

docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html, "Important
notes for REST APIs": the table of what "may be dropped, remapped, or otherwise modified", as it is
for Lambda. What it doesn't name passes. It leaves open with what a function's `Date` and `Server`
are overwritten (here: nothing), and what the "Exception" of a request's `Transfer-Encoding` is
(here: it is dropped).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

REMAPPED = "x-amzn-Remapped-"
DEFAULT_CONTENT_TYPE = "application/json"

_DROPPED_ON_THE_WAY_IN = frozenset({
    "connection", "content-md5", "expect", "max-forwards", "proxy-authenticate", "server", "te",
    "trailer", "transfer-encoding", "upgrade", "www-authenticate",
})  # fmt: skip
_DROPPED_ON_THE_WAY_OUT = frozenset({
    "expect", "host", "proxy-authenticate", "te", "trailer", "transfer-encoding", "upgrade", "via",
})  # fmt: skip
_RENAMED_ON_THE_WAY_OUT = frozenset({
    "authorization", "connection", "content-md5", "date", "max-forwards", "server", "user-agent",
    "www-authenticate",
})  # fmt: skip
_SIGNATURE = "AWS4-HMAC-SHA256 "

Value = TypeVar("Value", str, list[str])


def to_function(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a request that its function gets to see; names are in lower case."""
    return {
        name: value
        for name, value in headers.items()
        if name not in _DROPPED_ON_THE_WAY_IN
        and not (name == "authorization" and value.startswith(_SIGNATURE))
    }


def to_client(headers: Mapping[str, Value]) -> dict[str, Value | str]:
    """The headers of a function's answer as its client gets to see them.

    "API Gateway includes a Content-Type header for all integration responses. By default, the
    content type is application/json": for a 204 and a 304 as well.
    """
    kept = {
        f"{REMAPPED}{name}" if name.lower() in _RENAMED_ON_THE_WAY_OUT else name: value
        for name, value in headers.items()
        if name.lower() not in _DROPPED_ON_THE_WAY_OUT
    }
    if any(name.lower() == "content-type" for name in kept):
        return {**kept}
    return {"Content-Type": DEFAULT_CONTENT_TYPE, **kept}
