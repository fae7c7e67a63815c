"""What the API does, in one Region, over any store that writes conditionally."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from items import contract, cursor, merge_patch
from items.model import DEFAULT_STATUS, Item, body_digest, derived_id, timestamp
from items.problems import Problem, bad_parameter, not_found, unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from items.etag import Condition

# Long enough that no retry of a create outlives its key, which is remembered in the trash too.
TRASH_KEPT = timedelta(days=30)
# A write that comes between reading and writing is rare; this many in a row mean a hot item.
ATTEMPTS = 3


class Store(Protocol):
    """One Region's replica of the table. Every read of a single item is consistent in it."""

    def get(self, owner: str, item_id: str) -> Item | None:
        """Read an item, those in the trash too."""

    def insert(self, item: Item) -> bool:
        """Write a new item; False, and nothing written, when its id is taken."""

    def update(self, held: Item, item: Item) -> bool:
        """Write item over held; False, and nothing written, when held is not what is there."""

    def trash(self, held: Item, item: Item, expires_at: int) -> bool:
        """Put an item into the trash like update, until expires_at (epoch seconds)."""

    def page(self, owner: str, status: str | None, limit: int, after: str | None) -> list[Item]:
        """Give up to limit items, newest first, that come after a place in the index."""

    def place(self, item: Item, status: str | None) -> str:
        """Give an item's place in the index that page uses."""


@dataclass(frozen=True, slots=True)
class Created:
    """A create's outcome: the item as it is now, and whether an earlier request made it."""

    item: Item
    replayed: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A page of items; next_cursor is None on the last one."""

    items: list[Item]
    next_cursor: str | None


def _now() -> datetime:
    return datetime.now(UTC)


class Items:
    """The items of all owners, through one Region's store."""

    def __init__(self, store: Store, region: str, now: Callable[[], datetime] = _now) -> None:
        self._store = store
        self._region = region
        self._now = now

    def create(self, owner: str, key: str, body: dict[str, Any]) -> Created:
        """Make an item, or find the one that the same key and body made before.

        422 when the key made something else, 410 when what it made has been deleted: the
        Idempotency-Key draft (draft-ietf-httpapi-idempotency-key-header, 2.7) has the first; for
        the second a 201 would claim an item that is gone, a new item would bring it back, and a
        409 would invite a retry that can't succeed.
        """
        item = self._first_version(owner, key, body)
        for _ in range(ATTEMPTS):
            if self._store.insert(item):
                return Created(item, replayed=False)
            held = self._store.get(owner, item.id)
            if held is not None:
                return Created(_replayed(held, item), replayed=True)
        raise unavailable()

    def get(self, owner: str, item_id: str) -> Item:
        """Read an item; 404 when the owner has none or it is in the trash."""
        held = self._store.get(owner, item_id)
        if held is None or held.deleted_at is not None:
            raise not_found()
        return held

    def put(self, owner: str, item_id: str, condition: Condition, body: dict[str, Any]) -> Item:
        """Replace an item; 404, 412, or 409 (see _change)."""
        return self._change(owner, item_id, condition, lambda _: body)

    def patch(self, owner: str, item_id: str, condition: Condition, patch: dict[str, Any]) -> Item:
        """Merge a patch into an item and check the result as a whole; else as put."""

        def patched(held: Item) -> dict[str, Any]:
            return contract.check("item-replace", merge_patch.apply(held.document(), patch))

        return self._change(owner, item_id, condition, patched)

    def delete(self, owner: str, item_id: str, condition: Condition | None) -> None:
        """Put an item into the trash; nothing happens when it is there already.

        404 when the owner never had it, 412 when condition doesn't hold, 409 as _change.
        """
        for _ in range(ATTEMPTS):
            held = self._store.get(owner, item_id)
            if held is None:
                raise not_found()
            if held.deleted_at is not None:
                return
            _require(condition, held)
            deleted = self._next_version(held, held.document())
            deleted = replace(deleted, deleted_at=deleted.updated_at)
            expires_at = int((self._now() + TRASH_KEPT).timestamp())
            if self._store.trash(held, deleted, expires_at):
                return
        raise _too_busy()

    def page(self, owner: str, status: str | None, limit: int, after: str | None) -> Page:
        """List up to limit items; 400 when the cursor `after` isn't of this list."""
        try:
            place = cursor.decode(owner, status, after) if after is not None else None
        except cursor.CursorError:
            raise bad_parameter(
                "cursor", "Send a next_cursor unchanged, with the same status, or none to begin."
            ) from None
        # One more than asked for tells whether there is a next page without a fruitless request.
        found = self._store.page(owner, status, limit + 1, place)
        items = found[:limit]
        if len(found) <= limit:
            return Page(items, None)
        return Page(items, cursor.encode(owner, status, self._store.place(items[-1], status)))

    def _change(
        self,
        owner: str,
        item_id: str,
        condition: Condition,
        change: Callable[[Item], dict[str, Any]],
    ) -> Item:
        """Write a new version; 404, 412 when condition doesn't hold, or 409 for a hot item.

        The write is conditional on the very item that was read, so no update is lost. With an
        ETag the second reading ends in 412; only If-Match * can be outrun again and again.
        """
        for _ in range(ATTEMPTS):
            held = self.get(owner, item_id)
            _require(condition, held)
            item = self._next_version(held, change(held))
            if self._store.update(held, item):
                return item
        raise _too_busy()

    def _first_version(self, owner: str, key: str, body: dict[str, Any]) -> Item:
        now = timestamp(self._now())
        return Item(
            owner=owner,
            id=derived_id(owner, key),
            version=1,
            created_at=now,
            updated_at=now,
            written_in=self._region,
            request_hash=body_digest(body),
            **_members(body),
        )

    def _next_version(self, held: Item, body: dict[str, Any]) -> Item:
        # A clock that is behind the other Region's must not make an item older than it is.
        now = max(timestamp(self._now()), held.updated_at)
        return replace(
            held,
            version=held.version + 1,
            updated_at=now,
            written_in=self._region,
            **_members(body),
        )


def _members(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": body["title"],
        "notes": body.get("notes"),
        "status": body.get("status", DEFAULT_STATUS),
        "due_on": body.get("due_on"),
        "tags": tuple(body.get("tags", ())),
    }


def _replayed(held: Item, item: Item) -> Item:
    if held.request_hash != item.request_hash:
        raise Problem(
            422,
            "This Idempotency-Key was used before with another body. Use a new key for a new "
            "item, and send the very same body to repeat a request.",
        )
    if held.deleted_at is not None:
        raise Problem(
            410,
            "The item that this Idempotency-Key made has been deleted. Use a new key to make "
            "a new one.",
        )
    return held


def _require(condition: Condition | None, held: Item) -> None:
    if condition is not None and not condition.matches_strongly(held.etag):
        raise Problem(
            412,
            "The item has changed since you last saw it. Read it again, and send your change "
            "with its new ETag as If-Match.",
        )


def _too_busy() -> Problem:
    return Problem(
        409,
        "Others keep changing this item. Read it again, and send your change with its ETag as "
        "If-Match.",
    )
