"""What the API does, in one Region, over any store that writes conditionally."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from items import contract, cursor, merge_patch
from items.model import (
    DEFAULT_STATUS,
    KEPT_WRITES,
    Caller,
    Item,
    body_digest,
    derived_id,
    new_write,
    timestamp,
)
from items.problems import (
    Problem,
    bad_parameter,
    data_deleted,
    item_limit,
    not_found,
    unavailable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from items.etag import Condition

# Long enough that no retry of a create outlives its key, which a soft-deleted item keeps, too.
SOFT_DELETED_KEPT = timedelta(days=30)
# A write that comes between reading and writing is rare; this many in a row mean a hot item.
ATTEMPTS = 3
# How long nothing new is taken from an account that has deleted all that it owns. Its access token
# outlives the account, by a day at most (Cognito's limit), and so may an app's queue of creates.
CLOSED_FOR = timedelta(days=1)
# What one call of a deletion goes through at most, beside the time that it is given.
DELETION_PAGES = 40
DELETION_PAGE_ROWS = 250


class Store(Protocol):
    """One Region's replica of the table. Every read of a single item is consistent in it.

    A write is known by its id, so that one which was done and whose answer was lost counts as done:
    nobody is told that somebody else has changed an item when it was this request.
    """

    def get(self, owner: str, item_id: str) -> Item | None:
        """Read an item, soft-deleted ones too."""

    def insert(self, item: Item) -> bool:
        """Write a new item; False, and nothing written, when its id is taken by another write."""

    def update(self, current: Item, item: Item) -> bool:
        """Write item over current; False, and nothing written, when what is stored differs."""

    def soft_delete(self, current: Item, item: Item, expires_at: int) -> bool:
        """Soft-delete an item like update, until expires_at (epoch seconds)."""

    def page(
        self,
        owner: str,
        status: str | None,
        limit: int,
        after: str | None,
        subs: frozenset[str] | None = None,
    ) -> list[Item]:
        """Give up to limit items, newest first, that come after a sort key in the index.

        With subs, only those that these accounts made.
        """

    def accepted(self, caller: Caller) -> frozenset[str]:
        """Read the subs whose items an operator has given to the caller."""

    def reserve(self, caller: Caller, most: int, now: int) -> bool:
        """Count one more item of the caller; False when there are most, or it is closed (now)."""

    def give_back(self, caller: Caller) -> None:
        """Count one item less."""

    def closed_until(self, caller: Caller) -> int:
        """Read until when nothing new is taken from the caller (epoch seconds), or 0."""

    def recount(self, caller: Caller, now: int) -> bool:
        """Count the caller's items afresh; False while that isn't due, or not done yet."""

    def close(self, caller: Caller, until: int) -> str | None:
        """Take nothing new from the caller; give the row where a deletion has stopped, if any."""

    def rows(
        self, owner: str, limit: int, after: str | None
    ) -> tuple[list[tuple[str, str]], str | None]:
        """Give up to limit items' ids and subs, soft-deleted ones too, and where to go on."""

    def remove(self, owner: str, ids: Sequence[str]) -> int:
        """Remove rows for good; how many of them, since a busy table doesn't take them all."""

    def stop_at(self, caller: Caller, row: str | None) -> None:
        """Keep the row where a deletion has stopped; None: it is done."""

    def remove_records(self, caller: Caller, accepted: frozenset[str]) -> bool:
        """Remove what an operator has written of the caller; False when the table was too busy."""

    def sort_key(self, item: Item, status: str | None) -> str:
        """Give an item's sort key in the index that page uses."""


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


@dataclass(frozen=True, slots=True)
class Deletion:
    """What one call of delete_all came to: how many items it removed, and whether that was all."""

    deleted: int
    done: bool


def _now() -> datetime:
    return datetime.now(UTC)


class Items:
    """The items of all owners, through one Region's store."""

    def __init__(
        self,
        store: Store,
        region: str,
        max_per_owner: int,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._store = store
        self._region = region
        self._max = max_per_owner
        self._now = now

    def create(self, caller: Caller, key: str, body: dict[str, Any]) -> Created:
        """Make an item, or find the one that the same key and body made before.

        422 when the key made something else, 410 when what it made has been deleted: the
        Idempotency-Key draft (draft-ietf-httpapi-idempotency-key-header, 2.7) has the first; for
        the second a 201 would claim an item that is gone, a new item would bring it back, and a
        409 would invite a retry that can't succeed. 403 when the caller may make no more.
        """
        item = self._first_version(caller, key, body)
        if not self._reserved(caller):
            current = self._find(caller, item.id)
            if current is not None:
                return Created(_replayed(current, item), replayed=True)
            self._make_room(caller)
        # Whatever fails from here on leaves the count one too high, until it is counted afresh:
        # nobody knows then whether the item was written.
        for _ in range(ATTEMPTS):
            if self._store.insert(item):
                return Created(item, replayed=False)
            current = self._find(caller, item.id)
            if current is not None:
                self._store.give_back(caller)
                return Created(_replayed(current, item), replayed=True)
        raise unavailable("POST")

    def get(self, caller: Caller, item_id: str) -> Item:
        """Read an item; 404 when the caller has none or it is deleted."""
        current = self._find(caller, item_id)
        if current is None or current.deleted_at is not None:
            raise not_found()
        return current

    def put(self, caller: Caller, item_id: str, condition: Condition, body: dict[str, Any]) -> Item:
        """Replace an item; 404, 412, or 409 (see _change)."""
        return self._change(caller, item_id, condition, lambda _: body)

    def patch(
        self, caller: Caller, item_id: str, condition: Condition, patch: dict[str, Any]
    ) -> Item:
        """Merge a patch into an item and check the result as a whole; else as put."""

        def patched(current: Item) -> dict[str, Any]:
            return contract.check("item-replace", merge_patch.apply(current.document(), patch))

        return self._change(caller, item_id, condition, patched)

    def delete(self, caller: Caller, item_id: str, condition: Condition | None) -> None:
        """Soft-delete an item; nothing happens when it is deleted already.

        404 when the caller never had it, 412 when condition doesn't hold, 409 as _change.
        """
        for _ in range(ATTEMPTS):
            current = self._find(caller, item_id)
            if current is None:
                raise not_found()
            if current.deleted_at is not None:
                return
            _require(condition, current)
            deleted = self._next_version(current, current.document())
            deleted = replace(deleted, deleted_at=deleted.updated_at)
            expires_at = _epoch(self._now() + SOFT_DELETED_KEPT)
            if self._store.soft_delete(current, deleted, expires_at):
                return
        raise _too_busy()

    def delete_all(self, caller: Caller, has_time: Callable[[], bool]) -> Deletion:
        """Remove for good what the caller owns, deleted items included, as far as one call gets.

        A call stops when has_time says so, after DELETION_PAGES, or when the table is too busy; the
        next one goes on from there. From the first on, nothing new is taken from the caller for
        CLOSED_FOR, so that no late create fills up again what has been emptied. What another
        account left under the same username stays: it is not the caller's.
        """
        row = self._store.close(caller, _epoch(self._now() + CLOSED_FOR))
        accepted = self._store.accepted(caller)
        resumed, deleted = row is not None, 0
        for _ in range(DELETION_PAGES):
            found, next_row = self._store.rows(caller.owner, DELETION_PAGE_ROWS, row)
            mine = [item_id for item_id, sub in found if sub == caller.sub or sub in accepted]
            removed = self._store.remove(caller.owner, mine)
            deleted += removed
            if removed < len(mine):
                break
            row = next_row
            if row is None:
                if resumed:
                    self._store.stop_at(caller, None)
                return Deletion(deleted, self._store.remove_records(caller, accepted))
            if not has_time():
                break
        self._store.stop_at(caller, row)
        return Deletion(deleted, done=False)

    def page(self, caller: Caller, status: str | None, limit: int, after: str | None) -> Page:
        """List up to limit items; 400 when the cursor `after` isn't of this list."""
        owner = caller.owner
        try:
            sort_key = cursor.decode(owner, status, after) if after is not None else None
        except cursor.CursorError:
            raise bad_parameter(
                "cursor", "Send a next_cursor unchanged, with the same status, or none to begin."
            ) from None
        # One more than asked for tells whether there is a next page without a fruitless request.
        found = self._store.page(owner, status, limit + 1, sort_key)
        if any(item.sub != caller.sub for item in found):
            subs = self._store.accepted(caller) | {caller.sub}
            if any(item.sub not in subs for item in found):
                found = self._store.page(owner, status, limit + 1, sort_key, subs)
        items = found[:limit]
        if len(found) <= limit:
            return Page(items, None)
        return Page(items, cursor.encode(owner, status, self._store.sort_key(items[-1], status)))

    def _find(self, caller: Caller, item_id: str) -> Item | None:
        """Read an item of the caller's; one of another account is as if it weren't there."""
        current = self._store.get(caller.owner, item_id)
        if current is None or current.sub == caller.sub:
            return current
        return current if current.sub in self._store.accepted(caller) else None

    def _reserved(self, caller: Caller) -> bool:
        return self._store.reserve(caller, self._max, _epoch(self._now()))

    def _make_room(self, caller: Caller) -> None:
        """Reserve an item after all where the count turns out to be too high; else raise 403.

        Soft-deleted items that DynamoDB has removed make it so, and creates that failed half-way.
        """
        now = _epoch(self._now())
        if self._store.closed_until(caller) > now:
            raise data_deleted()
        if not self._store.recount(caller, now) or not self._reserved(caller):
            raise item_limit(self._max)

    def _change(
        self,
        caller: Caller,
        item_id: str,
        condition: Condition,
        change: Callable[[Item], dict[str, Any]],
    ) -> Item:
        """Write a new version; 404, 412 when condition doesn't hold, or 409 for a hot item.

        The write is conditional on the very item that was read, so no update is lost. With an
        ETag the second reading ends in 412; only If-Match * can be outrun again and again.
        """
        for _ in range(ATTEMPTS):
            current = self.get(caller, item_id)
            _require(condition, current)
            item = self._next_version(current, change(current))
            if self._store.update(current, item):
                return item
        raise _too_busy()

    def _first_version(self, caller: Caller, key: str, body: dict[str, Any]) -> Item:
        now = timestamp(self._now())
        return Item(
            owner=caller.owner,
            sub=caller.sub,
            id=derived_id(caller, key),
            version=1,
            created_at=now,
            updated_at=now,
            written_in=self._region,
            request_hash=body_digest(body),
            writes=(new_write(),),
            **_members(body),
        )

    def _next_version(self, current: Item, body: dict[str, Any]) -> Item:
        # A clock that is behind the other Region's must not make an item older than it is.
        now = max(timestamp(self._now()), current.updated_at)
        return replace(
            current,
            version=current.version + 1,
            updated_at=now,
            written_in=self._region,
            writes=(new_write(), *current.writes)[:KEPT_WRITES],
            **_members(body),
        )


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp())


def _members(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": body["title"],
        "notes": body.get("notes"),
        "status": body.get("status", DEFAULT_STATUS),
        "due_on": body.get("due_on"),
        "tags": tuple(body.get("tags", ())),
    }


def _replayed(current: Item, item: Item) -> Item:
    if current.request_hash != item.request_hash:
        raise Problem(
            422,
            "This Idempotency-Key was used before with another body. Use a new key for a new "
            "item, and send the very same body to repeat a request.",
        )
    if current.deleted_at is not None:
        raise Problem(
            410,
            "The item that this Idempotency-Key made has been deleted. Use a new key to make "
            "a new one.",
        )
    return current


def _require(condition: Condition | None, current: Item) -> None:
    if condition is not None and not condition.matches_strongly(current.etag):
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
