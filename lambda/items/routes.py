"""The users' routes: each reads the request, makes one call of the logic, and shapes the answer."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from items import contract
from items.api import JSON, Answer, Api, Route
from items.problems import (
    Problem,
    bad_parameter,
    not_found,
    writes_elsewhere,
    writes_paused,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from items.etag import Condition
    from items.fence import Fence
    from items.logic import Items
    from items.model import Caller, Item
    from items.observability import Observer
    from items.request import Request
    from items.settings import Settings

MERGE_PATCH = "application/merge-patch+json"
DEFAULT_LIMIT = 25
MAX_LIMIT = 100
READS = frozenset({"GET", "HEAD"})
STATUSES = ("todo", "doing", "done")

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LIMIT = re.compile(r"[0-9]{1,3}")

# How long a deletion works in one call: this share of what the function has left, which leaves
# time for a slow answer of the table's, or so many seconds where nobody says how much there is.
_DELETION_SHARE = 0.4
_DELETION_SECONDS = 4.0


class ItemsApi(Api):
    """What users do with their items."""

    def __init__(self, settings: Settings, items: Items, fence: Fence, observe: Observer) -> None:
        self.settings = settings
        self._items = items
        self._fence = fence
        super().__init__(
            settings,
            observe,
            (
                Route("POST", "/v1/items", self.create_item),
                Route("GET", "/v1/items", self.list_items),
                Route("GET", "/v1/items/{id}", self.get_item),
                Route("PUT", "/v1/items/{id}", self.replace_item),
                Route("PATCH", "/v1/items/{id}", self.patch_item),
                Route("DELETE", "/v1/items/{id}", self.delete_item),
                Route("DELETE", "/v1/me", self.delete_me),
            ),
        )

    def _admit(self, request: Request) -> None:
        """Refuse a write while this Region may not write; reads never ask."""
        if request.method in READS:
            return
        refusal = self._fence.refusal()
        if refusal is None:
            return
        self._observe.count("WriteRefused")
        self._observe.refused(refusal.writer)
        raise writes_paused() if refusal.writer is None else writes_elsewhere(refusal.writer)

    def create_item(self, request: Request) -> Answer:
        """POST /v1/items."""
        caller = self._caller(request)
        key = request.idempotency_key()
        body = contract.check("item-create", request.json((JSON,)))
        created = self._items.create(caller, key, body)
        self._observe.count("CreateReplayed" if created.replayed else "ItemCreated")
        headers = {"location": f"/v1/items/{created.item.id}"}
        if created.replayed:
            headers["idempotent-replayed"] = "true"
        return _item_response(created.item, 201, headers)

    def list_items(self, request: Request) -> Answer:
        """GET /v1/items."""
        caller = self._caller(request)
        parameters = request.parameters(("status", "limit", "cursor"))
        status = parameters.get("status")
        if status is not None and status not in STATUSES:
            raise bad_parameter("status", f"Send one of {', '.join(STATUSES)}.")
        limit = _limit(parameters.get("limit"))
        page = self._items.page(caller, status, limit, parameters.get("cursor"))
        items = [item.representation() for item in page.items]
        return Answer(200, {"items": items, "next_cursor": page.next_cursor})

    def get_item(self, request: Request) -> Answer:
        """GET /v1/items/{id}."""
        caller, valid_id = self._caller(request), _valid_id(request)
        condition = request.condition("If-None-Match")
        item = self._items.get(caller, valid_id)
        if condition is not None and condition.matches_weakly(item.etag):
            return Answer(304, headers={"etag": item.etag})
        return _item_response(item, 200)

    def replace_item(self, request: Request) -> Answer:
        """PUT /v1/items/{id}."""
        caller, valid_id = self._caller(request), _valid_id(request)
        condition = _required(request.condition("If-Match"))
        body = contract.check("item-replace", request.json((JSON,)))
        return _item_response(self._items.put(caller, valid_id, condition, body), 200)

    def patch_item(self, request: Request) -> Answer:
        """PATCH /v1/items/{id}."""
        caller, valid_id = self._caller(request), _valid_id(request)
        condition = _required(request.condition("If-Match"))
        patch = contract.check("item-patch", request.json((MERGE_PATCH, JSON)))
        return _item_response(self._items.patch(caller, valid_id, condition, patch), 200)

    def delete_item(self, request: Request) -> Answer:
        """DELETE /v1/items/{id}."""
        caller = self._caller(request)
        self._items.delete(caller, _valid_id(request), request.condition("If-Match"))
        return Answer(204)

    def delete_me(self, request: Request) -> Answer:
        """DELETE /v1/me."""
        ends = time.monotonic() + _deletion_seconds(self._context)

        def may_go_on() -> bool:
            # It works for seconds, in which writes may be handed to the other Region.
            return time.monotonic() < ends and self._fence.refusal() is None

        deletion = self._items.delete_all(self._caller(request), may_go_on)
        if deletion.done:
            return Answer(204)
        return Answer(
            202, {"status": "deleting", "deleted": deletion.deleted}, {"retry-after": "1"}
        )

    def _caller(self, request: Request) -> Caller:
        caller = request.caller(self.settings.client_ids)
        self._observe.caller(caller.sub)
        return caller


def _item_response(item: Item, status: int, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, item.representation(), {"etag": item.etag, **(headers or {})})


def _valid_id(request: Request) -> str:
    """Give the path's id if it could be one; any other is nobody's."""
    if not _ID.fullmatch(request.item_id):
        raise not_found()
    return request.item_id


def _required(condition: Condition | None) -> Condition:
    if condition is None:
        raise Problem(
            428, "Read the item and send your change with its ETag as If-Match, or with *."
        )
    return condition


def _deletion_seconds(context: object) -> float:
    left = getattr(context, "get_remaining_time_in_millis", None)
    return left() / 1000 * _DELETION_SHARE if left else _DELETION_SECONDS


def _limit(value: str | None) -> int:
    if value is None:
        return DEFAULT_LIMIT
    if not _LIMIT.fullmatch(value) or not 1 <= int(value) <= MAX_LIMIT:
        raise bad_parameter("limit", f"Send a number from 1 to {MAX_LIMIT}.")
    return int(value)
