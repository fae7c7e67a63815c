"""Everything that can go wrong, as application/problem+json (RFC 9457).

The kinds are the HTTP statuses themselves (type `about:blank`, whose title RFC 9457 wants to be the
status phrase), so that the gateway's own errors and these are told apart by nothing.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Python 3.13 renamed these phrases as RFC 9110 did; one spelling whatever the runtime.
_PHRASES = {413: "Content Too Large", 422: "Unprocessable Content"}
MAX_INSTANCE = 256


class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """A request that can't be answered as it wished.

    detail says what to do. errors point at what is wrong, each with `detail` and either `pointer`
    (RFC 6901, into the body) or `parameter`. extras are further members for machines.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        extras: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.extras = dict(extras or {})

    def body(self, path: str, request_id: str) -> dict[str, Any]:
        """Give the document for a request to path."""
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": _PHRASES.get(self.status) or HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "instance": quote(path, safe="/%:@!$&'()*+,;=-._~", errors="replace")[:MAX_INSTANCE],
            "request_id": request_id,
            **self.extras,
        }
        if self.errors:
            document["errors"] = [dict(error) for error in self.errors]
        return document


def bad_parameter(name: str, detail: str) -> Problem:
    """Make the 400 for a header or query parameter."""
    error = {"parameter": name, "detail": detail}
    return Problem(400, f"{name}: {detail}", errors=[error])


def bad_body(detail: str, *errors: Mapping[str, str]) -> Problem:
    """Make the 400 for a body."""
    return Problem(400, detail, errors=errors)


def not_found() -> Problem:
    """Make the 404 for an item, the same whether it is nobody's or somebody else's."""
    return Problem(404, "You have no item with this id. List your items to see those you have.")


def unavailable() -> Problem:
    """Make the 503 for a Region whose replica can't be used."""
    return Problem(
        503,
        "This Region can't do it now. Send the same request again in a second; a create with the "
        "same Idempotency-Key makes one item however often it is sent.",
        headers={"retry-after": "1"},
    )
