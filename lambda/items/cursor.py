"""Cursors: where the next page of a list begins.

A cursor says a place in an index and carries a digest over that place, the owner and the filter.
The digest is no secret: it catches a cursor that was damaged or belongs to another list, and
someone who computes one reaches nothing, because the owner of a query is always the token's.
So no key has to be kept, and a cursor made in one Region works in the other.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re

_DIGEST_BYTES = 12
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_PLACE = re.compile(rf"(?:(?P<status>[a-z]+)#)?{_TIME}#{_ID}", re.ASCII)


class CursorError(ValueError):
    """A cursor is damaged, or was made for another list."""


def encode(owner: str, status: str | None, place: str) -> str:
    """Make the cursor of a page that ends at place, the last item's sort key in its index."""
    raw = _digest(owner, status, place) + place.encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(owner: str, status: str | None, cursor: str) -> str:
    """Give the place that a cursor says; CursorError unless it was made for this very list."""
    place = _place(status, cursor)
    if encode(owner, status, place) != cursor:
        raise CursorError
    return place


def item_id(place: str) -> str:
    """Give the id at the end of a place."""
    return place.rpartition("#")[2]


def _place(status: str | None, cursor: str) -> str:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        place = raw[_DIGEST_BYTES:].decode("ascii")
    except ValueError as error:
        raise CursorError from error
    match = _PLACE.fullmatch(place)
    if match is None or match["status"] != status:
        raise CursorError
    return place


def _digest(owner: str, status: str | None, place: str) -> bytes:
    bound = json.dumps([owner, status, place]).encode()
    return hashlib.sha256(bound).digest()[:_DIGEST_BYTES]
