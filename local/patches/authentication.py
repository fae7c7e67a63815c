"""The keys that ministack knows, and how its services word the refusal of a request."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import parse_qs

from ministack.core import iam_evaluator
from ministack.core.iam_actions import access_denied_response
from ministack.core.responses import fix_error_content_type
from ministack.core.router import detect_service

Response = tuple[int, dict[str, Any], bytes]


class UnknownKeyError(Exception):
    """No such access key, or not with this session token."""


class ExpiredKeyError(Exception):
    """An access key whose session is over; `code` is AWS's own."""

    code = "ExpiredTokenException"


def is_root_key(access_key_id: str) -> bool:
    """Whether ministack takes this key for root's, whatever its secret."""
    return bool(iam_evaluator.is_root_access_key(access_key_id))


def secret_of(account: str, access_key_id: str, session_token: str) -> str:
    """The secret of a key of IAM's or STS's; raises UnknownKeyError, ExpiredKeyError."""
    found = iam_evaluator.resolve_credential(access_key_id, account, session_token)
    if isinstance(found, iam_evaluator.ResolvedCredential):
        return str(found.secret_access_key)
    if found.code == ExpiredKeyError.code:
        raise ExpiredKeyError(found.message)
    raise UnknownKeyError(found.message)


def error_response(  # noqa: PLR0913, PLR0917 - a request's head, and the error
    method: str, path: str, query: str, headers: dict[str, str], code: str, message: str
) -> Response:
    """AWS's error, in the wire format of the service that the request is meant for."""
    detected = detect_service(method, path, headers, parse_qs(query))
    service = "sts" if detected == "unknown_query" else detected
    status, answered, body = access_denied_response(
        service, "", "", str(uuid.uuid4()), error_code=code, message=message, headers=headers
    )
    fix_error_content_type(service, status, answered)
    return status, answered, body
