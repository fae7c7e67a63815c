"""Cursors: where the next page of a list begins.

A cursor carries a sort key of an index and a digest over that sort key, the owner and the filter.
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
_SORT_KEY = re.compile(rf"(?:(?P<status>[a-z]+)#)?{_TIME}#{_ID}", re.ASCII)


class CursorError(ValueError):
    """A cursor is damaged, or was made for another list."""


def encode(owner: str, status: str | None, sort_key: str) -> str:
    """Make the cursor of a page that ends at sort_key, the last item's in its index."""
    raw = _digest(owner, status, sort_key) + sort_key.encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(owner: str, status: str | None, cursor: str) -> str:
    """Give the sort key in a cursor; CursorError unless it was made for this very list."""
    sort_key = _sort_key(status, cursor)
    if encode(owner, status, sort_key) != cursor:
        raise CursorError
    return sort_key


def item_id(sort_key: str) -> str:
    """Give the id at the end of a sort key."""
    return sort_key.rpartition("#")[2]


def _sort_key(status: str | None, cursor: str) -> str:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        sort_key = raw[_DIGEST_BYTES:].decode("ascii")
    except ValueError as error:
        raise CursorError from error
    match = _SORT_KEY.fullmatch(sort_key)
    if match is None or match["status"] != status:
        raise CursorError
    return sort_key


def _digest(owner: str, status: str | None, sort_key: str) -> bytes:
    bound = json.dumps([owner, status, sort_key]).encode()
    return hashlib.sha256(bound).digest()[:_DIGEST_BYTES]
