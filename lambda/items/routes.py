"""The routes: each reads the request, makes one call of the logic, and shapes the answer."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayRestResolver, Response

from items import contract
from items.problems import (
    Problem,
    bad_parameter,
    fault,
    not_found,
    storage_full,
    too_busy,
    unavailable,
    unusable_username,
)
from items.request import Request
from items.table import CollectionFull, PartitionCrowded, TableBusy, TableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from items.etag import Condition
    from items.health import Probe
    from items.logic import Items
    from items.model import Caller, Item
    from items.observability import Observer
    from items.settings import Settings

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
PROBLEM = "application/problem+json"
DEFAULT_LIMIT = 25
MAX_LIMIT = 100
STATUSES = ("todo", "doing", "done")
EXPOSED = "allow, etag, idempotent-replayed, location, retry-after, x-request-id, x-served-by"

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LIMIT = re.compile(r"[0-9]{1,3}")

# How long a deletion works in one call: this share of what the function has left, which leaves
# time for a slow answer of the table's, or so many seconds where nobody says how much there is.
_DELETION_SHARE = 0.4
_DELETION_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a route answers; a body is JSON."""

    status: int
    body: dict[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = JSON


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of the contract; rule is its path as Powertools writes it."""

    method: str
    rule: str
    answer: Callable[..., Answer]


class Api:
    """The API of one Region."""

    def __init__(self, settings: Settings, items: Items, probe: Probe, observe: Observer) -> None:
        self._settings = settings
        self._items = items
        self._probe = probe
        self._observe = observe
        self._route = ""
        self._context: object = None
        self.routes = (
            Route("POST", "/v1/items", self.create_item),
            Route("GET", "/v1/items", self.list_items),
            Route("GET", "/v1/items/<item_id>", self.get_item),
            Route("PUT", "/v1/items/<item_id>", self.replace_item),
            Route("PATCH", "/v1/items/<item_id>", self.patch_item),
            Route("DELETE", "/v1/items/<item_id>", self.delete_item),
            Route("DELETE", "/v1/me", self.delete_me),
            *(
                Route(method, rule, answer)
                for rule, answer in (
                    ("/health", self.health),
                    ("/health/ready", self.ready),
                    ("/health/takeover", self.takeover),
                )
                # HEAD is what uptime monitors send.
                for method in ("GET", "HEAD")
            ),
        )
        self._resolver = APIGatewayRestResolver()
        for route in self.routes:
            self._resolver.route(route.rule, route.method)(self._guarded(route))
        self._resolver.not_found(self._no_route)

    def handle(self, event: dict[str, Any], context: object) -> dict[str, Any]:
        """Answer one proxy event; whatever happens, as a proxy response with the usual headers."""
        began = time.perf_counter()
        self._route = "none"
        self._context = context
        request = Request.from_event(event)
        self._observe.begin(
            request_id=request.request_id,
            extended_request_id=request.extended_request_id,
            function_request_id=getattr(context, "aws_request_id", ""),
            edge_request_id=request.headers.get("x-amz-cf-id", ""),
        )
        self._resolver.context["request"] = request  # the resolver forgets it in the end
        answer: dict[str, Any] = self._resolver.resolve(event, context)  # type: ignore[arg-type]
        self._observe.end(
            method=request.method,
            route=self._route,
            status=answer["statusCode"],
            milliseconds=(time.perf_counter() - began) * 1000,
        )
        return answer

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

    def get_item(self, request: Request, item_id: str) -> Answer:
        """GET /v1/items/{id}."""
        caller, valid_id = self._caller(request), _valid_id(item_id)
        condition = request.condition("If-None-Match")
        item = self._items.get(caller, valid_id)
        if condition is not None and condition.matches_weakly(item.etag):
            return Answer(304, headers={"etag": item.etag})
        return _item_response(item, 200)

    def replace_item(self, request: Request, item_id: str) -> Answer:
        """PUT /v1/items/{id}."""
        caller, valid_id = self._caller(request), _valid_id(item_id)
        condition = _required(request.condition("If-Match"))
        body = contract.check("item-replace", request.json((JSON,)))
        return _item_response(self._items.put(caller, valid_id, condition, body), 200)

    def patch_item(self, request: Request, item_id: str) -> Answer:
        """PATCH /v1/items/{id}."""
        caller, valid_id = self._caller(request), _valid_id(item_id)
        condition = _required(request.condition("If-Match"))
        patch = contract.check("item-patch", request.json((MERGE_PATCH, JSON)))
        return _item_response(self._items.patch(caller, valid_id, condition, patch), 200)

    def delete_item(self, request: Request, item_id: str) -> Answer:
        """DELETE /v1/items/{id}."""
        caller = self._caller(request)
        self._items.delete(caller, _valid_id(item_id), request.condition("If-Match"))
        return Answer(204)

    def delete_me(self, request: Request) -> Answer:
        """DELETE /v1/me."""
        ends = time.monotonic() + _deletion_seconds(self._context)
        deletion = self._items.delete_all(self._caller(request), lambda: time.monotonic() < ends)
        if deletion.done:
            return Answer(204)
        return Answer(
            202, {"status": "deleting", "deleted": deletion.deleted}, {"retry-after": "1"}
        )

    def health(self, _: Request) -> Answer:
        """GET /health."""
        return self._ok()

    def ready(self, _: Request) -> Answer:
        """GET /health/ready."""
        readiness = self._probe.ready()
        if readiness.failed is None:
            return self._ok()
        self._observe.unavailable(f"{readiness.failed} {readiness.reason}")
        raise Problem(
            503,
            f"This Region can't use its table: {readiness.failed} failed ({readiness.reason}).",
            extras={"failed": readiness.failed, "reason": str(readiness.reason)},
        )

    def takeover(self, _: Request) -> Answer:
        """GET /health/takeover.

        Whatever isn't a plain yes is a 404: a failure for a health check, as only 2xx and 3xx are
        good (Route 53's dns-failover-determining-health-of-endpoints), and no 5xx, which anybody
        could ask for until the on-call is paged. A switch that can't be read moves nobody: the
        same replica fails /health/ready, so that this Region is no place to move users to.
        """
        active = self._probe.takeover()
        if active:
            return self._ok()
        if active is None:
            self._observe.unavailable("takeover")
            raise Problem(
                404,
                "Whether takeover is active in this Region can't be known, as its table "
                "can't be read. It counts as not active. Look at /health/ready.",
                extras={"reason": "unknown"},
            )
        raise Problem(404, "Takeover is not active in this Region.")

    def _ok(self) -> Answer:
        return Answer(200, {"status": "ok", "region": self._settings.region})

    def _caller(self, request: Request) -> Caller:
        caller = request.caller(self._settings.client_ids)
        self._observe.caller(caller.sub)
        return caller

    def _guarded(self, route: Route) -> Callable[..., Response[str]]:
        """Make what the resolver calls: an answer of the route, or the problem that it met."""

        def call(**captured: str) -> Response[str]:
            request: Request = self._resolver.context["request"]
            self._route = route.rule
            try:
                return self._response(request, route.answer(request, **captured))
            except Problem as problem:
                return self._problem(request, problem)
            except TableError as error:
                return self._problem(request, self._refused(request, error))
            except Exception as error:  # the last line of defence
                self._observe.fault(error, route.rule)
                return self._problem(request, fault(request.method))

        return call

    def _refused(self, request: Request, error: TableError) -> Problem:
        """Give the problem for what the table refused, and log what concerns who runs the API."""
        match error:
            case CollectionFull():
                return storage_full()
            case PartitionCrowded():
                return unusable_username(
                    "Too much of other accounts stands under this account's username. Sign up "
                    "again, with a new UUID as username."
                )
            case TableBusy():
                self._observe.busy(str(error))
                return too_busy(request.method)
        self._observe.unavailable(str(error))
        return unavailable(request.method)

    def _no_route(self, _: Exception) -> Response[str]:
        request: Request = self._resolver.context["request"]
        allowed = sorted(route.method for route in self.routes if _fits(route.rule, request.path))
        if request.method in allowed:
            # The resolver knows no id of such characters, and nobody has one.
            problem = not_found()
        elif allowed:
            methods = ", ".join(allowed)
            problem = Problem(405, f"Use {methods} here.", headers={"allow": methods})
        else:
            problem = Problem(404, "There is nothing here. Items are at /v1/items.")
        return self._problem(request, problem)

    def _problem(self, request: Request, problem: Problem) -> Response[str]:
        if problem.status in {409, 412}:
            self._observe.count("WriteConflict")
        body = problem.body(request.path, request.request_id)
        return self._response(request, Answer(problem.status, body, problem.headers, PROBLEM))

    def _response(self, request: Request, answer: Answer) -> Response[str]:
        headers = {
            "cache-control": "no-store",
            "x-served-by": self._settings.region,
            "x-request-id": request.request_id,
            **answer.headers,
            **self._cors(request),
        }
        has_body = answer.body is not None
        return Response(
            status_code=answer.status,
            content_type=answer.media_type if has_body else None,
            body=_written(answer) if has_body and request.method != "HEAD" else "",
            headers=headers,
        )

    def _cors(self, request: Request) -> dict[str, str]:
        allowed = self._settings.allowed_origins
        origin = request.headers.get("origin", "")
        if "*" in allowed:
            readers = {"access-control-allow-origin": "*"}
        elif origin in allowed:
            readers = {"access-control-allow-origin": origin, "vary": "origin"}
        else:
            return {"vary": "origin"} if allowed else {}
        return readers | {"access-control-expose-headers": EXPOSED}


def _written(answer: Answer) -> str:
    # A problem may quote what is no character; an item never holds any, and stays short in UTF-8.
    only_ascii = answer.media_type == PROBLEM
    return json.dumps(answer.body, separators=(",", ":"), ensure_ascii=only_ascii)


def _item_response(item: Item, status: int, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, item.representation(), {"etag": item.etag, **(headers or {})})


def _valid_id(item_id: str) -> str:
    """Give an id that could be one; any other is nobody's."""
    if not _ID.fullmatch(item_id):
        raise not_found()
    return item_id


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


def _fits(rule: str, path: str) -> bool:
    expected, given = rule.split("/"), path.rstrip("/").split("/")
    return len(expected) == len(given) and all(
        part.startswith("<") or part == segment
        for part, segment in zip(expected, given, strict=True)
    )
