"""Runs inside the interpreter of the runtime, beside one package: cold once, or warm many times.

Arguments: `cold` or `warm`, and the number of requests. Prints seconds as JSON.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
from contextlib import redirect_stdout
from typing import Any

TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled="
STAMP = "2025-01-01T00:00:00.000000Z"
ID = "01234567-89ab-8def-8123-456789abcdef"
USER = "01234567-89ab-4def-8123-456789abcdef"
ROW = {
    "owner": {"S": f"user#{USER}"},
    "sub": {"S": USER},
    "item_id": {"S": ID},
    "title": {"S": "Buy milk"},
    "status": {"S": "todo"},
    "tags": {"L": [{"S": "home"}]},
    "version": {"N": "1"},
    "created_at": {"S": STAMP},
    "updated_at": {"S": STAMP},
    "written_in": {"S": "us-east-1"},
    "request_hash": {"S": "0"},
}


class Context:
    """What the runtime passes beside an event."""

    aws_request_id = "r"
    function_name = "items"
    invoked_function_arn = "arn"
    memory_limit_in_mb = 512


def event(method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Make the event that a REST API sends."""
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": "k",
        "Host": "example.com",
        "Accept": "*/*",
        "Authorization": "Bearer " + "x" * 900,
        "User-Agent": "benchmarks",
        "X-Amz-Cf-Id": "c",
    }
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {
            "requestId": "r",
            "path": f"/live{path}",
            "stage": "live",
            "httpMethod": method,
            "resourcePath": path,
            "authorizer": {"claims": {"username": USER, "sub": USER, "client_id": "benchmarks"}},
            "identity": {"sourceIp": "192.0.2.1"},
        },
        "body": json.dumps(body) if body else None,
        "isBase64Encoded": False,
    }


POST = event("POST", "/v1/items", {"title": "Buy milk", "tags": ["home"]})
GET = event("GET", f"/v1/items/{ID}")


def cold() -> dict[str, float]:
    """Measure the import and the first POST, answer of the table included."""
    began = time.perf_counter()
    import lambda_function  # noqa: PLC0415 - this is what is measured

    imported = time.perf_counter()
    answer = lambda_function.handler(POST, Context())
    done = time.perf_counter()
    assert answer["statusCode"] == 201, answer
    return {"import": imported - began, "first": done - imported, "cold": done - began}


def warm(requests: int) -> dict[str, float]:
    """Measure a POST and a GET with the client's calls cut short, untraced and traced.

    Each is the tenth percentile of many: what the code takes when nothing else disturbs it.
    """
    import botocore.client  # noqa: PLC0415

    import lambda_function  # noqa: PLC0415

    def answered(_: object, operation: str, __: object) -> dict[str, Any]:
        return {"Item": ROW} if operation == "GetItem" else {}

    botocore.client.BaseClient._make_api_call = answered  # type: ignore[attr-defined]
    figures = {}
    for sampled, suffix in (("0", ""), ("1", " traced")):
        os.environ["_X_AMZN_TRACE_ID"] = TRACE + sampled
        for name, request in (("POST", POST), ("GET", GET)):
            figures[name + suffix] = _quick(lambda_function.handler, request, requests)
    return figures


def _quick(handler: Any, request: dict[str, Any], requests: int) -> float:  # noqa: ANN401
    times = []
    for _ in range(requests):
        # The processor's time: nothing is waited for, so on an idle machine it is the clock's too.
        began = time.process_time()
        answer = handler(request, Context())
        times.append(time.process_time() - began)
        assert answer["statusCode"] < 300, answer
    return sorted(times)[len(times) // 10]


if __name__ == "__main__":
    with redirect_stdout(io.StringIO()):
        figures = cold() if sys.argv[1] == "cold" else warm(int(sys.argv[2]))
    print(json.dumps(figures))
