"""The same create, read and list on FastAPI, Mangum and boto3, written the way their guides do.

It traces nothing, counts nothing and writes plain log lines, so the comparison flatters it.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator, misc, no-any-unimported"

from __future__ import annotations

import hashlib
import json
import logging
import os
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from fastapi import FastAPI, Header, Request, Response
from fastapi.responses import JSONResponse
from mangum import Mangum
from pydantic import BaseModel, ConfigDict, Field

logger = logging.getLogger("items")
logger.setLevel(logging.INFO)
client = boto3.Session().client("dynamodb", config=Config(retries={"mode": "standard"}))
TABLE = os.environ["TABLE_NAME"]
REGION = os.environ["AWS_REGION"]
Tag = Annotated[str, Field(min_length=1, max_length=50)]


class Status(StrEnum):
    """Where an item stands."""

    TODO = "todo"
    DOING = "doing"
    DONE = "done"


class ItemCreate(BaseModel):
    """What a caller sends."""

    model_config = ConfigDict(extra="forbid")
    title: str = Field(min_length=1, max_length=200)
    notes: str | None = Field(default=None, max_length=4000)
    status: Status = Status.TODO
    due_on: date | None = None
    tags: list[Tag] = Field(default_factory=list, max_length=20)


class Item(ItemCreate):
    """What a caller is shown."""

    id: str
    version: int
    created_at: str
    updated_at: str


class Page(BaseModel):
    """A page of items."""

    items: list[Item]
    next_cursor: str | None = None


app = FastAPI(title="Items")


@app.exception_handler(ClientError)
def unavailable(request: Request, _: ClientError) -> JSONResponse:
    """Answer 503 as a problem."""
    problem = {"type": "about:blank", "title": "Service Unavailable", "status": 503}
    return JSONResponse(
        problem | {"instance": request.url.path}, 503, media_type="application/problem+json"
    )


def owner_of(request: Request) -> str:
    """Give the caller's owner."""
    event = request.scope["aws.event"]
    return f"user#{event['requestContext']['authorizer']['claims']['username']}"


@app.post("/v1/items", status_code=201, response_model_exclude_none=True)
def create_item(
    body: ItemCreate,
    request: Request,
    response: Response,
    idempotency_key: Annotated[str, Header()],
) -> Item:
    """Make an item."""
    owner = owner_of(request)
    digest = hashlib.sha256(json.dumps([owner, idempotency_key]).encode()).hexdigest()
    now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    item = Item(**body.model_dump(), id=digest[:32], version=1, created_at=now, updated_at=now)
    attributes: dict[str, Any] = {
        name: {"S": str(value)}
        for name, value in item.model_dump(mode="json", exclude_none=True).items()
        if name not in {"id", "version", "tags"}
    }
    attributes |= {
        "owner": {"S": owner},
        "item_id": {"S": item.id},
        "version": {"N": "1"},
        "tags": {"L": [{"S": tag} for tag in item.tags]},
        "listed_at": {"S": f"{now}#{item.id}"},
        "status_changed_at": {"S": f"{item.status}#{now}#{item.id}"},
        "request_hash": {"S": hashlib.sha256(body.model_dump_json().encode()).hexdigest()},
    }
    client.update_item(
        TableName=TABLE,
        Key={"owner": {"S": owner}, "item_id": {"S": "quota"}},
        UpdateExpression="ADD item_count :one",
        ConditionExpression="attribute_not_exists(item_count) OR item_count < :most",
        ExpressionAttributeValues={":one": {"N": "1"}, ":most": {"N": "10000"}},
    )
    client.put_item(
        TableName=TABLE, Item=attributes, ConditionExpression="attribute_not_exists(item_id)"
    )
    response.headers["location"] = f"/v1/items/{item.id}"
    response.headers["etag"] = '"1"'
    response.headers["x-served-by"] = REGION
    logger.info("created %s", item.id)
    return item


@app.get("/v1/items/{item_id}", response_model_exclude_none=True)
def get_item(item_id: str, request: Request, response: Response) -> Item:
    """Read an item."""
    key = {"owner": {"S": owner_of(request)}, "item_id": {"S": item_id}}
    current = client.get_item(TableName=TABLE, Key=key, ConsistentRead=True)["Item"]
    response.headers["etag"] = f'"{current["version"]["N"]}"'
    response.headers["x-served-by"] = REGION
    logger.info("read %s", item_id)
    return shown(current)


@app.get("/v1/items", response_model_exclude_none=True)
def list_items(request: Request, response: Response) -> Page:
    """List items."""
    found = client.query(
        TableName=TABLE,
        IndexName="by_created",
        Limit=25,
        ScanIndexForward=False,
        KeyConditionExpression="#owner = :owner",
        ExpressionAttributeNames={"#owner": "owner"},
        ExpressionAttributeValues={":owner": {"S": owner_of(request)}},
    )
    response.headers["x-served-by"] = REGION
    logger.info("listed")
    return Page(items=[shown(row) for row in found["Items"]])


def shown(row: dict[str, Any]) -> Item:
    """Give a row as an item."""
    return Item(
        id=row["item_id"]["S"],
        title=row["title"]["S"],
        status=Status(row["status"]["S"]),
        tags=[tag["S"] for tag in row["tags"]["L"]],
        version=int(row["version"]["N"]),
        created_at=row["created_at"]["S"],
        updated_at=row["updated_at"]["S"],
    )


handler = Mangum(app, lifespan="off")
