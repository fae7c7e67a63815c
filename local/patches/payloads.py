"""Patches of how much a function may be given, and may answer.

"Invocation payload (request and response): 6 MB each for request and response (synchronous)"
(docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html). It is the whole event as JSON,
escapes and base64 included, not the body that a caller sent.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import lambda_svc

MAX_PAYLOAD = 6 * 1024 * 1024

Result = dict[str, Any]
Response = tuple[int, dict[str, Any], bytes]


def size(payload: object) -> int:
    """How many bytes a payload has, as the shortest JSON in UTF-8."""
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode("utf-8", "replace"))


def events_have_a_limit() -> None:
    """Invoke takes any payload, and so does the gateway's call (`chain.note_calls`).

    Lambda refuses both with a 413 (RequestTooLargeException of API_Invoke). What the gateway makes
    of that is documented nowhere; callers report its own 413, "Request Too Long", whose gateway
    response is REQUEST_TOO_LARGE.
    """
    invoke: Callable[..., Awaitable[Response]] = lambda_svc._invoke

    async def invoke_function(name: str, event: Any, headers: Any, *more: Any) -> Response:  # noqa: ANN401
        if size(event) <= MAX_PAYLOAD:
            return await invoke(name, event, headers, *more)
        refusal: Response = error_response_json(
            "RequestTooLargeException",
            f"Request must be smaller than {MAX_PAYLOAD} bytes for the InvokeFunction operation",
            413,
        )
        return refusal

    lambda_svc._invoke = invoke_function


def answers_have_a_limit() -> None:
    """A function answers with any payload. On AWS one that is too large is the function's error."""
    dispatch: Callable[..., Result] = lambda_svc._execute_function_dispatch

    def execute_function_dispatch(*invocation: Any) -> Result:  # noqa: ANN401
        result = dispatch(*invocation)
        if size(result.get("body")) <= MAX_PAYLOAD:
            return result
        error = {
            "errorType": "Function.ResponseSizeTooLarge",
            "errorMessage": "Response payload size exceeded maximum allowed payload size "
            f"({MAX_PAYLOAD} bytes).",
        }
        return {**result, "error": True, "body": error}

    lambda_svc._execute_function_dispatch = execute_function_dispatch


PATCHES = (events_have_a_limit, answers_have_a_limit)
