"""What both functions answer requests with: the routes are theirs, what surrounds them is here."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from items.problems import (
    Problem,
    fault,
    storage_full,
    too_busy,
    unavailable,
    unusable_username,
)
from items.request import Request
from items.table import CollectionFull, PartitionCrowded, TableBusy, TableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from items.observability import Observer
    from items.settings import FunctionSettings

JSON = "application/json"
PROBLEM = "application/problem+json"
EXPOSED = "allow, etag, idempotent-replayed, location, retry-after, x-request-id, x-served-by"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a route answers; a body is JSON."""

    status: int
    body: dict[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = JSON


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of the contract; resource is its path there, `/v1/items/{id}`."""

    method: str
    resource: str
    answer: Callable[[Request], Answer]


class Api:
    """The part of one Region's API that one function serves: the routes that it is given.

    The gateway has found the route already, and names it in each event by method and resource.
    """

    def __init__(
        self, settings: FunctionSettings, observe: Observer, routes: Sequence[Route]
    ) -> None:
        self._settings = settings
        self._observe = observe
        self._context: object = None
        self.routes = tuple(routes)
        self._by_operation = {(route.method, route.resource): route for route in self.routes}

    def handle(self, event: dict[str, Any], context: object) -> dict[str, Any]:
        """Answer one proxy event; whatever happens, as a proxy response with the usual headers."""
        began = time.perf_counter()
        self._context = context
        request = Request.from_event(event)
        self._observe.begin(
            request_id=request.request_id,
            extended_request_id=request.extended_request_id,
            function_request_id=getattr(context, "aws_request_id", ""),
            edge_request_id=request.headers.get("x-amz-cf-id", ""),
        )
        route = self._by_operation.get((request.method, request.resource))
        answer = self._answer(request, route) if route else self._no_route(request)
        response = self._response(request, answer)
        self._observe.end(
            method=request.method,
            route=route.resource if route else "none",
            status=answer.status,
            milliseconds=(time.perf_counter() - began) * 1000,
        )
        return response

    def _admit(self, request: Request) -> None:
        """Refuse a request before its route has done anything, by raising what a route may."""

    def _answer(self, request: Request, route: Route) -> Answer:
        """Give the route's answer, or the problem that it met."""
        try:
            self._admit(request)
            return route.answer(request)
        except Problem as problem:
            return self._problem(request, problem)
        except TableError as error:
            return self._problem(request, self._refused(request, error))
        except Exception as error:  # the last line of defence
            self._observe.fault(error, route.resource)
            return self._problem(request, fault(request.method))

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

    def _no_route(self, request: Request) -> Answer:
        allowed = sorted(one.method for one in self.routes if one.resource == request.resource)
        if allowed:
            methods = ", ".join(allowed)
            problem = Problem(405, f"Use {methods} here.", headers={"allow": methods})
        else:
            problem = Problem(404, "There is nothing here. Items are at /v1/items.")
        return self._problem(request, problem)

    def _problem(self, request: Request, problem: Problem) -> Answer:
        if problem.status in {409, 412}:
            self._observe.count("WriteConflict")
        body = problem.body(request.path, request.request_id)
        return Answer(problem.status, body, problem.headers, PROBLEM)

    def _response(self, request: Request, answer: Answer) -> dict[str, Any]:
        """Write an answer as a function's proxy integration gives it (payload 1.0)."""
        headers = {
            "cache-control": "no-store",
            "x-served-by": self._settings.region,
            "x-request-id": request.request_id,
            **answer.headers,
            **self._cors(request),
        }
        has_body = answer.body is not None
        if has_body:
            headers["content-type"] = answer.media_type
        return {
            "statusCode": answer.status,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "body": _written(answer) if has_body and request.method != "HEAD" else "",
            "isBase64Encoded": False,
        }

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
