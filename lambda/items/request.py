"""A request, read out of an API Gateway proxy event (REST API, payload 1.0).

Nothing in an event is trusted to be well-formed: whatever a caller can put into it ends as a
Problem with a 4xx status, never as another exception.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from items import etag
from items.model import Caller
from items.problems import Problem, bad_body, bad_parameter, unusable_username

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

MAX_BODY_BYTES = 64 * 1024
MAX_SUB = 128  # a UUID, where Cognito makes it
_USERNAME = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    resource is the path in the contract that the gateway found for it, `/v1/items/{id}`; item_id is
    what stands there for the id, empty where there is none (the input format in API Gateway's
    set-up-lambda-proxy-integrations). headers have lower-case names, their values joined as RFC
    9110 section 5.2 says. query keeps every value of every parameter. username, sub and client_id
    are the access token's claims, None on public routes. request_id may be the caller's own choice;
    extended_request_id never is (API Gateway's set-up-logging).
    """

    method: str
    resource: str
    path: str
    item_id: str
    headers: Mapping[str, str]
    query: Mapping[str, Sequence[str]]
    body: str | None
    body_is_base64: bool
    username: str | None
    sub: str | None
    client_id: str | None
    request_id: str
    extended_request_id: str

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Request:
        """Read an event; what it lacks is taken as empty."""
        context = event.get("requestContext") or {}
        claims = (context.get("authorizer") or {}).get("claims") or {}
        return cls(
            method=event.get("httpMethod") or "",
            resource=event.get("resource") or "",
            path=event.get("path") or "",
            item_id=(event.get("pathParameters") or {}).get("id") or "",
            headers=_headers(event),
            query=_query(event),
            body=event.get("body"),
            body_is_base64=bool(event.get("isBase64Encoded")),
            username=claims.get("username"),
            sub=claims.get("sub"),
            client_id=claims.get("client_id"),
            request_id=context.get("requestId") or "",
            extended_request_id=context.get("extendedRequestId") or "",
        )

    def caller(self, client_ids: Collection[str]) -> Caller:
        """Give who calls, or raise 401, or 403 for a username that is no UUID.

        The gateway has checked the token, but takes those of every client of the pool: a scope is
        all that it asks for. Only tokens of client_ids are this API's. A username that an app made
        out of something else could be guessed, or be somebody's name in every log.
        """
        if not isinstance(self.username, str) or not _is_sub(self.sub):
            raise Problem(
                401,
                "Sign in and send the access token (not the ID token) as Authorization: Bearer.",
                headers={"www-authenticate": "Bearer"},
            )
        if not isinstance(self.client_id, str) or self.client_id not in client_ids:
            raise Problem(
                401,
                "This access token was made for another app. Sign in with this API's own.",
                headers={"www-authenticate": "Bearer"},
            )
        if not _USERNAME.fullmatch(self.username):
            raise unusable_username(
                "This account's username is no UUID. Sign up again, with a new UUID as username."
            )
        # iOS writes UUIDs in upper case, everybody else in lower: it is the same one.
        return Caller(f"user#{self.username.lower()}", str(self.sub))

    def json(self, media_types: Collection[str]) -> Any:  # noqa: ANN401 - any JSON value
        """Give the parsed body, or raise 413, 415 or 400."""
        self._check_media_type(media_types)
        return _parse(self._text())

    def idempotency_key(self) -> str:
        """Give the Idempotency-Key header, or raise 400."""
        key = self.headers.get("idempotency-key", "")
        if not _KEY.fullmatch(key):
            raise bad_parameter(
                "Idempotency-Key",
                "Send 1 to 255 visible ASCII characters, new for each item (a UUID is a good "
                "one), and the same when you send the same request again.",
            )
        return key

    def condition(self, name: str) -> etag.Condition | None:
        """Give the If-Match or If-None-Match header, None when there is none, or raise 400."""
        value = self.headers.get(name.lower())
        if value is None:
            return None
        try:
            return etag.parse(value)
        except etag.EntityTagError:
            raise bad_parameter(
                name, "Send the ETag as it was given, double quotes included, or *."
            ) from None

    def parameters(self, allowed: Collection[str]) -> dict[str, str]:
        """Give the query parameters, or raise 400 for one that is unknown or sent twice."""
        for name, values in self.query.items():
            if name not in allowed:
                raise bad_parameter(name[:100], f"Unknown; known are {', '.join(allowed)}.")
            if len(values) != 1:
                raise bad_parameter(name, "Send it once.")
        return {name: values[0] for name, values in self.query.items()}

    def _check_media_type(self, media_types: Collection[str]) -> None:
        given = self.headers.get("content-type", "application/json").partition(";")[0]
        if given.strip().lower() not in media_types:
            accepted = ", ".join(media_types)
            raise Problem(415, f"Send the body as {accepted}.", headers={"accept": accepted})

    def _text(self) -> str:
        body = self.body or ""
        # Base64 is a third longer than what it carries, and a character is a byte at least.
        if len(body) > MAX_BODY_BYTES * 4 // 3 + 4:
            raise _too_large()
        try:
            raw = base64.b64decode(body, validate=True) if self.body_is_base64 else body.encode()
            text = raw.decode()
        except (binascii.Error, ValueError):
            raise bad_body("The body is not UTF-8. Send JSON in UTF-8 (RFC 8259).") from None
        if len(raw) > MAX_BODY_BYTES:
            raise _too_large()
        return text


def _is_sub(sub: object) -> bool:
    return isinstance(sub, str) and 1 <= len(sub) <= MAX_SUB and _encodes(sub)


def _too_large() -> Problem:
    return Problem(413, f"Send a body of at most {MAX_BODY_BYTES} bytes.")


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    """Give the headers by lower-case names; the gateway keeps two spellings of one name apart."""
    many = event.get("multiValueHeaders")
    if not many:
        many = {name: (value,) for name, value in (event.get("headers") or {}).items()}
    joined: dict[str, list[str]] = {}
    for name, values in many.items():
        joined.setdefault(name.lower(), []).extend(value or "" for value in values or ())
    return {name: ", ".join(values) for name, values in joined.items()}


def _query(event: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    many = event.get("multiValueQueryStringParameters")
    if many:
        return {name: tuple(values or ("",)) for name, values in many.items()}
    single = event.get("queryStringParameters") or {}
    return {name: (value or "",) for name, value in single.items()}


def _parse(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Parse JSON strictly: no NaN, no member twice, nothing that UTF-8 can't say."""
    try:
        value = json.loads(text, parse_constant=_refuse, object_pairs_hook=_members)
        whole = _encodes(json.dumps(value, ensure_ascii=False))
    except (ValueError, RecursionError):
        raise bad_body(
            "The body is not JSON that can be read one way only (RFC 8259; no member twice)."
        ) from None
    if not whole:
        raise bad_body("The body holds half of a surrogate pair, which is no character.")
    return value


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")
    return members


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
