"""The least that answers: a bare handler that signs DynamoDB's HTTP itself, with no package.

It checks nothing, traces nothing and logs nothing. It shows what Python and the network cost.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import time
from typing import Any
from urllib.parse import urlsplit

TABLE = os.environ["TABLE_NAME"]
REGION = os.environ["AWS_REGION"]
ENDPOINT = urlsplit(
    os.environ.get("AWS_ENDPOINT_URL") or f"https://dynamodb.{REGION}.amazonaws.com"
)
KIND = http.client.HTTPConnection if ENDPOINT.scheme == "http" else http.client.HTTPSConnection
CONNECTION = KIND(ENDPOINT.netloc, timeout=2)
SIGNED = "content-type;host;x-amz-date;x-amz-target"


def call(operation: str, request: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    """Ask DynamoDB, signed as IAM's reference_sigv-create-signed-request says."""
    body = json.dumps(request)
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "host": ENDPOINT.netloc,
        "x-amz-date": now,
        "x-amz-target": f"DynamoDB_20120810.{operation}",
    }
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    digest = hashlib.sha256(body.encode()).hexdigest()
    canonical = hashlib.sha256(f"POST\n/\n\n{lines}\n{SIGNED}\n{digest}".encode()).hexdigest()
    scope = f"{now[:8]}/{REGION}/dynamodb/aws4_request"
    key = f"AWS4{os.environ['AWS_SECRET_ACCESS_KEY']}".encode()
    for part in (*scope.split("/"), f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{canonical}"):
        key = hmac.digest(key, part.encode(), "sha256")
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={os.environ['AWS_ACCESS_KEY_ID']}/{scope}, "
        f"SignedHeaders={SIGNED}, Signature={key.hex()}"
    )
    CONNECTION.request("POST", "/", body, headers)
    with CONNECTION.getresponse() as response:
        return json.load(response)


def create(event: dict[str, Any], owner: str) -> dict[str, Any]:
    """POST /v1/items."""
    body = json.loads(event["body"])
    key = event["headers"]["Idempotency-Key"]
    digest = hashlib.sha256(json.dumps([owner, key]).encode()).hexdigest()
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
    item = {"id": digest[:32], "title": body["title"], "status": "todo", "tags": body["tags"]}
    call(
        "UpdateItem",
        {
            "TableName": TABLE,
            "Key": {"owner": {"S": owner}, "item_id": {"S": "quota"}},
            "UpdateExpression": "ADD item_count :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        },
    )
    attributes = {
        "owner": {"S": owner},
        "item_id": {"S": item["id"]},
        "title": {"S": body["title"]},
        "status": {"S": "todo"},
        "tags": {"L": [{"S": tag} for tag in body["tags"]]},
        "version": {"N": "1"},
        "created_at": {"S": now},
        "updated_at": {"S": now},
    }
    call(
        "PutItem",
        {
            "TableName": TABLE,
            "Item": attributes,
            "ConditionExpression": "attribute_not_exists(item_id)",
        },
    )
    return answer(201, {**item, "version": 1, "created_at": now, "updated_at": now})


def read(event: dict[str, Any], owner: str) -> dict[str, Any]:
    """GET /v1/items/{id}."""
    key = {"owner": {"S": owner}, "item_id": {"S": event["pathParameters"]["id"]}}
    row = call("GetItem", {"TableName": TABLE, "Key": key, "ConsistentRead": True})["Item"]
    return answer(200, shown(row))


def listed(_: dict[str, Any], owner: str) -> dict[str, Any]:
    """GET /v1/items."""
    request = {
        "TableName": TABLE,
        "IndexName": "by_created",
        "Limit": 25,
        "KeyConditionExpression": "#owner = :owner",
        "ExpressionAttributeNames": {"#owner": "owner"},
        "ExpressionAttributeValues": {":owner": {"S": owner}},
    }
    found = call("Query", request)
    return answer(200, {"items": [shown(row) for row in found["Items"]], "next_cursor": None})


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """Give an item as callers see it."""
    return {
        "id": row["item_id"]["S"],
        "title": row["title"]["S"],
        "status": row["status"]["S"],
        "tags": [tag["S"] for tag in row["tags"]["L"]],
        "version": int(row["version"]["N"]),
        "created_at": row["created_at"]["S"],
        "updated_at": row["updated_at"]["S"],
    }


def answer(status: int, body: dict[str, Any]) -> dict[str, Any]:
    """Give a proxy integration's answer."""
    headers = {"content-type": "application/json", "x-served-by": REGION}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}


ROUTES = {
    ("POST", "/v1/items"): create,
    ("GET", "/v1/items"): listed,
    ("GET", "/v1/items/{id}"): read,
}


def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
    """Answer one proxy event."""
    owner = f"user#{event['requestContext']['authorizer']['claims']['username']}"
    return ROUTES[event["httpMethod"], event["resource"]](event, owner)
