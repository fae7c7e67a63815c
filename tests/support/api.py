"""Calling the API, and holding every single answer to what all answers promise."""

from __future__ import annotations

import http.client
import json
import ssl
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from fastjsonschema import JsonSchemaValueException

from tests.support import contract

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.users import Person, Tokens

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
TIMEOUT = (5, 30)
"""Seconds to connect and to wait for an answer; the gateway gives up after 29."""


@dataclass(frozen=True, slots=True)
class Target:
    """A name that answers for the API.

    `region` is the only Region that may serve it, or None where either may. `headers` go with
    every request (the key that a locked origin wants, say).
    """

    name: str
    base_url: str
    region: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Seen = set[tuple[str, str, int]]
"""(target, operation, status) of every answer: what the suite really got to see."""


def _complaints(target: Target, answer: requests.Response, *, fault_expected: bool) -> list[str]:
    request = answer.request
    path = urlsplit(str(request.url)).path
    operation = contract.read().operation(str(request.method), path)
    wrong = []
    if answer.status_code >= 500 and not fault_expected:
        wrong.append("a fault on the server's side")
    refused_at_the_edge = _refused_at_the_edge(answer)
    served_by = answer.headers.get("x-served-by")
    if target.region and served_by != target.region and not refused_at_the_edge:
        wrong.append(f"x-served-by is {served_by!r}, not {target.region!r}")
    if refused_at_the_edge:
        wrong.extend(_refusal_complaints(answer))
    elif answer.status_code >= 400 and request.method != "HEAD":
        wrong.extend(_problem_complaints(answer))
    if operation:
        wrong.extend(_contract_complaints(operation, answer))
    return wrong


def _problem_complaints(answer: requests.Response) -> list[str]:
    media = answer.headers.get("content-type", "").split(";")[0]
    if media != contract.PROBLEM:
        return [f"an error as {media!r}"]
    problem = answer.json()
    try:
        contract.schema("problem")(problem)
    except JsonSchemaValueException as mismatch:
        return [f"not a problem by the contract: {mismatch.message}"]
    wrong = []
    if problem.get("status", answer.status_code) != answer.status_code:
        wrong.append("the problem's status is another one")
    if not problem["request_id"]:
        wrong.append("no request id")
    if len(problem["detail"]) < 10:
        wrong.append("the detail doesn't say what to do")
    return wrong


def _refused_at_the_edge(answer: requests.Response) -> bool:
    """Whether the edge's web ACL has refused it, so that no Region has seen it."""
    media = answer.headers.get("content-type", "").split(";")[0]
    refusal = answer.status_code in {403, 429} and media == JSON
    return refusal and "x-served-by" not in answer.headers


def _refusal_complaints(answer: requests.Response) -> list[str]:
    """What is wrong with an answer of the edge's web ACL."""
    try:
        contract.schema("refusal")(answer.json())
    except JsonSchemaValueException as mismatch:
        return [f"not a refusal by the contract: {mismatch.message}"]
    wrong = [] if "x-amz-cf-id" in answer.headers else ["nothing to find the request by"]
    if answer.json()["status"] != answer.status_code:
        wrong.append("the refusal's status is another one")
    return wrong


def _contract_complaints(operation: contract.Operation, answer: requests.Response) -> list[str]:
    expected = operation.answers.get(answer.status_code)
    if expected is None:
        return [f"the contract names no {answer.status_code} for {operation.name}"]
    wrong = [f"no {name}" for name in expected.headers if name not in answer.headers]
    if not expected.bodies:
        return [*wrong, *(["a body, where none is due"] if answer.content else [])]
    media = answer.headers.get("content-type", "").split(";")[0]
    if media not in expected.bodies:
        return [*wrong, f"{media!r} where {sorted(expected.bodies)} is due"]
    try:
        expected.bodies[media](answer.json())
    except JsonSchemaValueException as mismatch:
        wrong.append(f"the body doesn't fit its schema: {mismatch.message}")
    return wrong


def _shown(answer: requests.Response) -> str:
    request = answer.request
    body = request.body if isinstance(request.body, str) else repr(request.body)
    return (
        f"{request.method} {request.url} {body[:300] if body else ''}\n"
        f"→ {answer.status_code} {dict(answer.headers)}\n{answer.text[:800]}"
    )


@dataclass(frozen=True, slots=True)
class Api:
    """One target. `send` is the way to it, so that no answer goes unchecked."""

    target: Target
    http: requests.Session
    seen: Seen

    def send(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
        body: bytes | str | None = None,
        fault_expected: bool = False,
    ) -> requests.Response:
        """Send a request and check what every answer promises.

        No 5xx (unless `fault_expected`), served by the right Region, errors as problems, status,
        headers and body as the contract says. Raises AssertionError with all that is wrong.
        """
        bearer = {"authorization": f"Bearer {token}"} if token else {}
        answer = self.http.request(
            method,
            self.target.base_url + path,
            headers={**self.target.headers, **bearer, **(headers or {})},
            params=params,
            data=body.encode() if isinstance(body, str) else body,
            timeout=TIMEOUT,
            allow_redirects=False,
        )
        operation = contract.read().operation(method, urlsplit(str(answer.request.url)).path)
        if operation:
            self.seen.add((self.target.name, operation.name, answer.status_code))
        wrong = _complaints(self.target, answer, fault_expected=fault_expected)
        assert not wrong, f"{'; '.join(wrong)}\n{_shown(answer)}"
        return answer

    def raw(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> int:
        """Send a path as it is, which requests would tidy up; give the status and check nothing.

        The target's own headers aren't sent, and the answer may be the edge's.
        """
        trusted = self.http.verify if isinstance(self.http.verify, str) else None
        connection = http.client.HTTPSConnection(
            urlsplit(self.target.base_url).netloc,
            context=ssl.create_default_context(cafile=trusted),
            timeout=TIMEOUT[1],
        )
        with closing(connection):
            # The edge's web ACL blocks machines that don't say what they are.
            named = {"user-agent": "tests", **(headers or {})}
            connection.request(method, path, body=body, headers=named)
            return connection.getresponse().status


def etag_of(answer: requests.Response) -> str:
    """The ETag that an answer carries."""
    return str(answer.headers["etag"])


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person calling the API: the app's view of it.

    Bodies are Python values, sent as JSON. Every method gives the answer as it came.
    """

    api: Api
    person: Person
    tokens: Tokens

    def at(self, api: Api) -> SignedIn:
        """The same person, with the same tokens, at another target."""
        return SignedIn(api, self.person, self.tokens)

    def send(
        self,
        method: str,
        path: str,
        **how: Any,
    ) -> requests.Response:
        return self.api.send(method, path, token=self.tokens.access, **how)

    def create(self, item: object, key: str, **how: Any) -> requests.Response:
        """POST an item with an Idempotency-Key."""
        headers = {"content-type": JSON, "idempotency-key": key}
        return self.send("POST", "/v1/items", headers=headers, body=json.dumps(item), **how)

    def delete_all(self, **how: Any) -> requests.Response:
        """DELETE all that the person owns; one call of it."""
        return self.send("DELETE", "/v1/me", **how)

    def list(self, **params: str | int) -> requests.Response:
        """GET a page."""
        return self.send("GET", "/v1/items", params=params)

    def get(self, item_id: str, **headers: str) -> requests.Response:
        """GET an item; header names with underscores."""
        return self.send("GET", f"/v1/items/{item_id}", headers=_named(headers))

    def replace(self, item_id: str, item: object, **headers: str) -> requests.Response:
        """PUT an item."""
        named = {"content-type": JSON, **_named(headers)}
        return self.send("PUT", f"/v1/items/{item_id}", headers=named, body=json.dumps(item))

    def patch(self, item_id: str, patch: object, **headers: str) -> requests.Response:
        """PATCH an item."""
        named = {"content-type": MERGE_PATCH, **_named(headers)}
        return self.send("PATCH", f"/v1/items/{item_id}", headers=named, body=json.dumps(patch))

    def delete(self, item_id: str, **headers: str) -> requests.Response:
        """DELETE an item."""
        return self.send("DELETE", f"/v1/items/{item_id}", headers=_named(headers))


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
