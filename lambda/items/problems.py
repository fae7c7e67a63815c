"""Everything that can go wrong, as application/problem+json (RFC 9457).

The kinds are the HTTP statuses themselves (type `about:blank`, whose title RFC 9457 wants to be the
status phrase), so that the gateway's own errors and these look the same. A refusal that
an app has to tell from others of its status has a Kind of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Python 3.13 renamed these phrases as RFC 9110 did; one spelling whatever the runtime.
_PHRASES = {413: "Content Too Large", 422: "Unprocessable Content"}
MAX_INSTANCE = 256
# What any method's retry may count on where the fence has refused it.
_NOTHING_WRITTEN = (
    "Nothing was written: the same request, whatever its method, is safe to send again"
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its title, and its type, a URI of this API (RFC 9457 section 3.1.1)."""

    type: str
    title: str


ITEM_LIMIT = Kind("/problems/item-limit", "Item limit reached")
STORAGE_FULL = Kind("/problems/storage-full", "Storage full")
DATA_DELETED = Kind("/problems/data-deleted", "Data deleted")
UNUSABLE_USERNAME = Kind("/problems/unusable-username", "Unusable username")
WRITES_ELSEWHERE = Kind("/problems/writes-elsewhere", "Writes are moving")
WRITES_PAUSED = Kind("/problems/writes-paused", "Writes are paused")


class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """A request that can't be answered as it wished.

    detail says what to do. errors point at what is wrong, each with `detail` and either `pointer`
    (RFC 6901, into the body) or `parameter`. extras are further members for machines. kind is None
    where the status says it all.
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
        self.kind: Kind | None = None

    def body(self, path: str, request_id: str) -> dict[str, Any]:
        """Give the document for a request to path."""
        phrase = _PHRASES.get(self.status) or HTTPStatus(self.status).phrase
        document: dict[str, Any] = {
            "type": self.kind.type if self.kind else "about:blank",
            "title": self.kind.title if self.kind else phrase,
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


def unavailable(method: str) -> Problem:
    """Make the 503 for a Region whose replica can't be used."""
    detail = f"This Region can't do it now. {_repeating(method)}"
    return Problem(503, detail, headers={"retry-after": "1"})


def writes_elsewhere(writer: str) -> Problem:
    """Make the 503 for a write that comes to a Region while writer alone may write."""
    problem = Problem(
        503,
        f"Writes are moving to {writer}. {_NOTHING_WRITTEN} in a second.",
        headers={"retry-after": "1"},
        extras={"writer": writer},
    )
    problem.kind = WRITES_ELSEWHERE
    return problem


def writes_paused() -> Problem:
    """Make the 503 for a write while no Region may write."""
    problem = Problem(
        503,
        f"Whoever runs this API has paused writes; reads go on. {_NOTHING_WRITTEN} in half a "
        "minute.",
        headers={"retry-after": "30"},
    )
    problem.kind = WRITES_PAUSED
    return problem


def fault(method: str) -> Problem:
    """Make the 500 for a fault of ours."""
    return Problem(
        500,
        f"A fault of ours. {_repeating(method)} If it stays, quote the request id to whoever runs "
        "this API.",
    )


def _repeating(method: str) -> str:
    """Say what is safe to send again where nobody knows whether the request was carried out."""
    match method:
        case "POST":
            return (
                "Send the same request again in a second: with the same Idempotency-Key it makes "
                "one item however often it is sent."
            )
        case "PUT" | "PATCH":
            return (
                "The change may have been made all the same. With If-Match: * the same request is "
                "safe to send again in a second. With an ETag read the item first: sent again, "
                "the request could meet its own change and be answered with 412."
            )
    return "The same request is safe to send again in a second."


def _refusal(kind: Kind, detail: str) -> Problem:
    """Make the 403 of a kind, which tells any client not to send this again (RFC 9110, 15.5.4).

    Not a 409, with which a change is answered that is worth another try, and not a 507, which
    would be a fault of the server's and wake somebody.
    """
    problem = Problem(403, detail)
    problem.kind = kind
    return problem


def item_limit(most: int) -> Problem:
    """Make the 403 for an owner who has as many items as one may have."""
    return _refusal(
        ITEM_LIMIT,
        f"You have {most} items, which is as many as one may have; deleted ones count for 30 days. "
        "Delete what you don't need, or all that you own by DELETE /v1/me.",
    )


def storage_full() -> Problem:
    """Make the 403 for an owner whose partition of the table holds no more bytes."""
    return _refusal(
        STORAGE_FULL,
        "What you own takes all the room that one may have. Delete items that you don't need (the "
        "room is free after 30 days), or all that you own by DELETE /v1/me.",
    )


def data_deleted() -> Problem:
    """Make the 403 for an account that makes an item after it has deleted all that it owns."""
    return _refusal(
        DATA_DELETED,
        "This account has deleted all that it owns, and makes nothing new for a day. Delete the "
        "account itself, and sign up again to begin anew.",
    )


def unusable_username(detail: str) -> Problem:
    """Make the 403 for an account whose username this API can't use: another sign-in won't help."""
    return _refusal(UNUSABLE_USERNAME, detail)


def too_busy(method: str) -> Problem:
    """Make the 429 for a quota of the table's or the account's that is used up just now."""
    detail = f"More is asked for at once than the table takes. {_repeating(method)}"
    return Problem(429, detail, headers={"retry-after": "1"})
