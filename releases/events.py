"""Requests as a REST API hands them to a function.

The form is that of set-up-lambda-proxy-integrations, "Input format of a Lambda function for proxy
integration"; a user pool's claims stand in `authorizer`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `resource` is the route as the contract writes it; a body is JSON."""

    method: str
    resource: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = None

    @property
    def path(self) -> str:
        """The path that a client asks for."""
        path = self.resource
        for name, text in self.parameters.items():
            path = path.replace(f"{{{name}}}", text)
        return path

    @property
    def text(self) -> str | None:
        """The body as it is sent."""
        return None if self.body is None else json.dumps(self.body)

    @property
    def sent_headers(self) -> dict[str, str]:
        """The headers as they are sent."""
        media = {} if self.body is None else {"content-type": "application/json"}
        return {"accept": "application/json", "user-agent": AGENT, **media, **self.headers}


AGENT = "release-smoke-test"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, by an access token's claims."""

    username: str
    client_id: str


def proxy_event(request: Request, host: str, account_id: str, caller: Caller | None) -> Any:  # noqa: ANN401
    """Make the event of a request that comes to `host`; without a caller, of a public route."""
    now = datetime.now(UTC)
    headers, query = request.sent_headers | {"Host": host}, dict(request.query)
    return {
        "resource": request.resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": headers,
        "multiValueHeaders": {name: [text] for name, text in headers.items()},
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {name: [text] for name, text in query.items()} or None,
        "pathParameters": dict(request.parameters) or None,
        "stageVariables": None,
        "requestContext": {
            "accountId": account_id,
            "apiId": "smoketest",
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "extendedRequestId": uuid.uuid4().hex[:15] + "=",
            "httpMethod": request.method,
            "identity": {"sourceIp": "127.0.0.1", "userAgent": AGENT},
            "path": request.path,
            "protocol": "HTTP/1.1",
            "requestId": str(uuid.uuid4()),
            "requestTime": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "requestTimeEpoch": int(now.timestamp() * 1000),
            "resourceId": "smoke1",
            "resourcePath": request.resource,
            "stage": "live",
            **({"authorizer": {"claims": _claims(caller, now)}} if caller else {}),
        },
        "body": request.text,
        "isBase64Encoded": False,
    }


def _claims(caller: Caller, now: datetime) -> dict[str, str]:
    seconds = now.strftime("%a %b %d %H:%M:%S UTC %Y")
    return {
        "sub": str(uuid.uuid5(uuid.NAMESPACE_URL, caller.username)),
        "username": caller.username,
        "client_id": caller.client_id,
        "token_use": "access",
        "scope": "aws.cognito.signin.user.admin",
        "auth_time": str(int(now.timestamp())),
        "iat": seconds,
        "exp": seconds,
        "jti": str(uuid.uuid4()),
    }
