"""The Regions' doors: a custom domain leads to one Region's REST API, as API Gateway answers.

Each Region has an address of its own (`local.regions`), where it answers for all of its custom
domains. At 127.0.0.1, where curl and browsers find every name under `.localhost`, a name leads to
its Region when it is registered in that one alone.
"""

from __future__ import annotations

import base64
import contextvars
import json
import re
import secrets
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from ministack.core.responses import request_scope
from ministack.services import apigateway_v1

from local import regions
from local.settings import LOOPBACK

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = dict[str, str]
Response = tuple[int, dict[str, Any], bytes]

# https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html: payload size 10 MB.
MAX_PAYLOAD = 10 * 1024 * 1024
REQUEST_ID = b"x-amzn-requestid"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def new_extended_id() -> str:
    """An `x-amz-apigw-id`, `$context.extendedRequestId`: always the gateway's own."""
    return base64.urlsafe_b64encode(secrets.token_bytes(11)).decode()


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as it came through a door; `path` is percent-decoded, `raw_path` as sent.

    `received` is when its last byte was there, in seconds since the epoch. `request_id` and
    `extended_id` are API Gateway's, in the answer's x-amzn-requestid and x-amz-apigw-id.
    """

    name: str
    method: str
    path: str
    raw_path: str
    query: str
    headers: Headers
    body: bytes
    client: str
    request_id: str
    protocol: str = "HTTP/1.1"
    received: float = field(default_factory=time.time)
    extended_id: str = field(default_factory=new_extended_id)


@dataclass(frozen=True, slots=True)
class Domain:
    """A custom domain as one Region knows it."""

    account: str
    region: str
    name: str


# The request being answered, for the patches that give API Gateway's event what it lacks.
current: contextvars.ContextVar[Request | None] = contextvars.ContextVar("door", default=None)


class TooLargeError(Exception):
    """The body is over API Gateway's payload limit."""


def registered(name: str) -> list[Domain]:
    """The Regions in which `name` is a custom domain."""
    wanted = name.lower()
    return [
        Domain(account, region, stored)
        for (account, region, stored), _ in apigateway_v1._domain_names.all_items()
        if stored.lower() == wanted
    ]


def regional() -> dict[str, str]:
    """Each Region's own name, `<region>.<domain>`, where it has one."""
    keys = [key for key, _ in apigateway_v1._domain_names.all_items()]
    return {region: name for _, region, name in keys if name.startswith(f"{region}.")}


def deployed_regions() -> frozenset[str]:
    """Every Region that has a custom domain."""
    return frozenset(region for (_, region, _), _ in apigateway_v1._domain_names.all_items())


def region_at(address: str) -> str | None:
    """The Region whose own address this is."""
    found = (region for region in deployed_regions() if regions.address(region) == address)
    return next(found, None)


def behind(name: str, address: str) -> Domain | None:
    """The custom domain that a host name leads to at one of this machine's addresses."""
    domains = registered(name)
    if address == LOOPBACK:
        # A name of several Regions is for DNS to decide, and curl asks none.
        return domains[0] if len(domains) == 1 else None
    return next((each for each in domains if regions.address(each.region) == address), None)


async def to_region(domain: Domain, request: Request) -> Response:
    """What the Region's API Gateway answers for its custom domain."""
    token = current.set(request)
    try:
        with request_scope(domain.account, domain.region):
            status, headers, body = await _execute(request)
    finally:
        current.reset(token)
    return status, _with_ids(headers, request.request_id, request.extended_id), body


async def _execute(request: Request) -> Response:
    mapping = apigateway_v1.resolve_base_path_mapping(request.name, request.path)
    if mapping is None:
        return forbidden(request.request_id)
    api_id, stage, path = mapping
    if not stage:
        stage, _, path = path.lstrip("/").partition("/")
        path = "/" + path
    response: Response = await apigateway_v1.handle_execute(
        api_id, stage, request.method, path, _as_gateway_sends(request), request.body,
        parse_qs(request.query, keep_blank_values=True),
    )  # fmt: skip
    return response


def _as_gateway_sends(request: Request) -> Headers:
    """The viewer's headers and those that API Gateway adds for the integration."""
    headers = dict(request.headers)
    before = headers.get("x-forwarded-for")
    headers["x-forwarded-for"] = f"{before}, {request.client}" if before else request.client
    headers["x-forwarded-port"] = "443"
    headers["x-forwarded-proto"] = "https"
    return headers


def forbidden(request_id: str) -> Response:
    """API Gateway's answer for a name or a base path that leads nowhere."""
    headers = {"content-type": "application/json", "x-amzn-errortype": "ForbiddenException"}
    return 403, _with_ids(headers, request_id), b'{"message":"Forbidden"}'


def too_large(domain: Domain, request_id: str) -> Response:
    """API Gateway's 413 (gateway response REQUEST_TOO_LARGE), the API's own where it has one."""
    with request_scope(domain.account, domain.region):
        mapping = apigateway_v1.resolve_base_path_mapping(domain.name, "/")
        stage = apigateway_v1._stages_v1.get(mapping[0], {}).get(mapping[1]) if mapping else None
        if mapping is None or stage is None:
            body = json.dumps({"message": "Request Too Long"}).encode()
            return 413, _with_ids({"content-type": "application/json"}, request_id), body
        error = apigateway_v1._gw_error("REQUEST_TOO_LARGE", "Request Too Long")
        status, headers, body = apigateway_v1._gateway_error_response(
            error,
            {"api_id": mapping[0], "stage_name": mapping[1], "stage": stage, "headers": {},
             "query_params": {}, "path_params": {}, "resource_path": "", "request_id": request_id},
        )  # fmt: skip
    return status, _with_ids(headers, request_id), body


async def read(
    scope: Scope, receive: Receive, name: str, request_id: str, limit: int = MAX_PAYLOAD
) -> Request:
    """The whole request; raises TooLargeError when its body has more than `limit` bytes."""
    headers: Headers = {}
    for raw_name, raw_value in scope["headers"]:
        header, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        joined = "; " if header == "cookie" else ", "
        headers[header] = headers[header] + joined + value if header in headers else value
    headers.setdefault("host", name)
    return Request(
        name=name,
        method=scope["method"],
        path=scope["path"],
        raw_path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=await _body(receive, limit),
        client=(scope.get("client") or ("127.0.0.1",))[0],
        request_id=request_id,
        protocol=f"HTTP/{scope['http_version']}",
    )


async def _body(receive: Receive, limit: int) -> bytes:
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise TooLargeError
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)


def received(body: bytes, receive: Receive) -> Receive:
    """An ASGI receive for a request that was read already; what follows it comes from `receive`."""
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def again() -> dict[str, Any]:
        return next(messages, None) or await receive()

    return again


async def respond(send: Send, response: Response) -> None:
    """Send a whole response."""
    status, headers, body = response
    lines = [
        (name.lower().encode("latin-1"), str(value).encode("latin-1", "replace"))
        for name, values in headers.items()
        for value in (values if isinstance(values, list) else [values])
        if name.lower() != "content-length"
    ]
    lines.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})


def _with_ids(
    headers: dict[str, Any], request_id: str, extended_id: str | None = None
) -> dict[str, Any]:
    lower = {name.lower(): value for name, value in headers.items()}
    return {
        **lower,
        "x-amzn-requestid": request_id,
        "x-amz-apigw-id": extended_id or new_extended_id(),
    }


def request_id(scope: Scope) -> str:
    """The id of a request to API Gateway, `$context.requestId`: the client's own, if it sends one.

    "Clients can override the value in the x-amzn-RequestId header" (docs.aws.amazon.com/apigateway/
    latest/developerguide/set-up-logging.html). Which values it takes isn't said: here, a UUID.
    """
    sent = [value.decode("latin-1") for name, value in scope["headers"] if name == REQUEST_ID]
    return sent[0] if len(sent) == 1 and UUID.fullmatch(sent[0]) else str(uuid.uuid4())


def host(scope: Scope) -> str:
    """The host name that a request is for, in lower case and without a port."""
    hosts = [value for name, value in scope["headers"] if name in (b"host", b":authority")]
    name: str = hosts[0].decode("latin-1") if hosts else ""
    return name.rsplit(":", 1)[0].rstrip(".").lower()
