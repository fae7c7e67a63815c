"""An item, as the logic sees it."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

DEFAULT_STATUS = "todo"
# How many writes an item knows that it was made by. A write is looked for while its own request
# lasts, some three seconds: others that come in between take up one each.
KEPT_WRITES = 4


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    owner is the partition of the table that the username names. sub is the account itself, by the
    claim that Cognito makes once for each: a username that was freed and taken again has another.
    """

    owner: str
    sub: str


@dataclass(frozen=True, slots=True)
class Item:
    """One item of one owner.

    sub is the account that made it, empty where nobody knows. Times are RFC 3339 in UTC with
    microseconds, so that they sort as text. written_in is the Region that wrote last. request_hash
    is the digest of the body that made the item. writes are the ids of the last writes that made it
    what it is, the newest first. deleted_at is set while the item is soft-deleted.
    """

    owner: str
    sub: str
    id: str
    title: str
    status: str
    tags: tuple[str, ...]
    notes: str | None
    due_on: str | None
    version: int
    created_at: str
    updated_at: str
    written_in: str
    request_hash: str
    writes: tuple[str, ...]
    deleted_at: str | None = None

    @property
    def etag(self) -> str:
        """A strong validator (RFC 9110 section 8.8), quotes included.

        A version alone would not do: in the minutes of a failover both Regions can write the same
        version, of which one survives. Whoever saw the other must not pass If-Match.
        """
        written = f"{self.updated_at}|{self.written_in}".encode()
        return f'"{self.version}-{hashlib.sha256(written).hexdigest()[:12]}"'

    def document(self) -> dict[str, Any]:
        """Give the members that a caller may change; what is not set is left out."""
        members = {
            "title": self.title,
            "notes": self.notes,
            "status": self.status,
            "due_on": self.due_on,
            "tags": list(self.tags),
        }
        return {name: value for name, value in members.items() if value is not None}

    def representation(self) -> dict[str, Any]:
        """Give the item as the API shows it (schemas/item.json)."""
        return {
            "id": self.id,
            **self.document(),
            "version": self.version,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }


def new_write() -> str:
    """Make the id of one write, which no other has."""
    return os.urandom(8).hex()


def timestamp(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC, always with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def derived_id(caller: Caller, idempotency_key: str) -> str:
    """Give the id that this caller's key makes, the same in every Region.

    A UUID version 8 (RFC 9562 section 5.8) from SHA-256: nobody else's key can make it, not even
    that of an account which has the same username later.
    """
    seed = json.dumps([caller.owner, caller.sub, idempotency_key]).encode()
    octets = bytearray(hashlib.sha256(seed).digest()[:16])
    octets[6] = octets[6] & 0x0F | 0x80
    octets[8] = octets[8] & 0x3F | 0x80
    text = octets.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def body_digest(body: dict[str, Any]) -> str:
    """Digest a request's body by what it says: the order of members and white space don't count."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
