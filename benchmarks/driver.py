"""Runs inside the interpreter of the runtime, beside one package, as Lambda would.

Arguments: `cold`; `warm`, `traced` or `alone`, and a number of requests; or `answers`. Prints
figures, or what the package answered, as JSON. Times are the processor's, in seconds: they don't
count what another process takes meanwhile, nor the wait for the table.
"""

from __future__ import annotations

import io
import json
import os
import resource
import sys
import time
from contextlib import redirect_stdout
from typing import Any

TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled="
ID = "01234567-89ab-8def-8123-456789abcdef"
USER = "01234567-89ab-4def-8123-456789abcdef"

STAMP = "2025-01-01T00:00:00.000000Z"
ROW: dict[str, Any] = {
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
PAGE = 25


def answer(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """Answer one operation of DynamoDB's API."""
    match operation:
        case "GetItem" if request["Key"]["item_id"] == ROW["item_id"]:
            return {"Item": ROW}
        case "Query":
            return {"Items": [ROW] * PAGE, "Count": PAGE}
        case "UpdateItem":
            return {"Attributes": {"item_count": {"N": "1"}}}
    return {}


class Context:
    """What the runtime passes beside an event."""

    aws_request_id = "r"
    function_name = "items"
    invoked_function_arn = "arn"
    memory_limit_in_mb = 1024


def event(
    method: str, resource: str, path: str, body: dict[str, Any] | None = None
) -> dict[str, Any]:
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
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"id": ID} if path != resource else None,
        "requestContext": {
            "requestId": "r",
            "path": f"/live{path}",
            "stage": "live",
            "httpMethod": method,
            "resourcePath": resource,
            "authorizer": {"claims": {"username": USER, "sub": USER, "client_id": "benchmarks"}},
            "identity": {"sourceIp": "192.0.2.1"},
        },
        "body": json.dumps(body) if body else None,
        "isBase64Encoded": False,
    }


REQUESTS = {
    "POST": event("POST", "/v1/items", "/v1/items", {"title": "Buy milk", "tags": ["home"]}),
    "GET": event("GET", "/v1/items/{id}", f"/v1/items/{ID}"),
    "LIST": event("GET", "/v1/items", "/v1/items"),
}


def cold() -> dict[str, float]:
    """Measure the import, the first POST and the memory that both took at their peak, in bytes."""
    began = time.process_time()
    import lambda_function  # noqa: PLC0415 - this is what is measured

    imported = time.process_time()
    answer = lambda_function.handler(REQUESTS["POST"], Context())
    done = time.process_time()
    assert answer["statusCode"] == 201, answer
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "import": imported - began,
        "first": done - imported,
        "cold": done - began,
        "memory": peak if sys.platform == "darwin" else peak * 1024,
    }


def warm(requests: int, suffix: str = "") -> dict[str, float]:
    """Measure a POST, a GET and a LIST.

    Each is the tenth percentile of many: what the code takes when nothing else disturbs it.
    """
    import lambda_function  # noqa: PLC0415

    return {
        name + suffix: _quick(lambda_function.handler, request, requests)
        for name, request in REQUESTS.items()
    }


def traced(requests: int) -> dict[str, float]:
    """Measure the same of requests that X-Ray wants."""
    os.environ["_X_AMZN_TRACE_ID"] = TRACE + "1"
    return warm(requests, " traced")


def alone(requests: int) -> dict[str, float]:
    """Measure the same with botocore's calls cut short: what the code takes without its SDK."""
    import botocore.client  # noqa: PLC0415

    def answered(_: object, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        return answer(operation, request)

    botocore.client.BaseClient._make_api_call = answered  # type: ignore[attr-defined]
    return warm(requests, " alone")


def answers() -> dict[str, Any]:
    """Give what each request is answered with: status and body."""
    import lambda_function  # noqa: PLC0415

    answered = {
        name: lambda_function.handler(request, Context()) for name, request in REQUESTS.items()
    }
    return {
        name: {"status": answer["statusCode"], "body": json.loads(answer["body"])}
        for name, answer in answered.items()
    }


def _quick(handler: Any, request: dict[str, Any], requests: int) -> float:  # noqa: ANN401
    times = []
    for _ in range(requests):
        began = time.process_time()
        answer = handler(request, Context())
        times.append(time.process_time() - began)
        assert answer["statusCode"] < 300, answer
    return sorted(times)[len(times) // 10]


def main(arguments: list[str]) -> dict[str, Any]:
    """Do what the arguments say."""
    match arguments:
        case ["cold"]:
            return cold()
        case ["warm", requests]:
            return warm(int(requests))
        case ["traced", requests]:
            return traced(int(requests))
        case ["alone", requests]:
            return alone(int(requests))
    return answers()


if __name__ == "__main__":
    with redirect_stdout(io.StringIO()):
        measured = main(sys.argv[1:])
    print(json.dumps(measured))
