"""The same API in the way of Powertools' guides: resolver, pydantic, tracer, boto3's resource."""
# mypy: disable-error-code="import-not-found, untyped-decorator, misc, no-any-unimported"

import hashlib
import json
import os
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Header
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict, Field

logger = Logger()
tracer = Tracer()
metrics = Metrics()
app = APIGatewayRestResolver(enable_validation=True)
table = boto3.Session().resource("dynamodb").Table(os.environ["TABLE_NAME"])
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


def owner() -> str:
    """Give the caller's owner."""
    claims = app.current_event.request_context.authorizer.claims or {}
    return f"user#{claims['username']}"


def shown(row: dict[str, Any]) -> Item:
    """Give a row as an item."""
    return Item(
        id=row["item_id"],
        title=row["title"],
        status=Status(row["status"]),
        tags=row["tags"],
        version=int(row["version"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def answer(status: int, body: BaseModel) -> Response[str]:
    """Give an answer with the usual headers."""
    return Response(
        status_code=status,
        content_type="application/json",
        body=body.model_dump_json(exclude_none=True),
        headers={"x-served-by": REGION},
    )


@app.post("/v1/items")
@tracer.capture_method(capture_response=False)
def create_item(
    body: ItemCreate, idempotency_key: Annotated[str, Header(alias="Idempotency-Key")]
) -> Response[str]:
    """Make an item."""
    digest = hashlib.sha256(json.dumps([owner(), idempotency_key]).encode()).hexdigest()
    now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    item = Item(**body.model_dump(), id=digest[:32], version=1, created_at=now, updated_at=now)
    table.update_item(
        Key={"owner": owner(), "item_id": "quota"},
        UpdateExpression="ADD item_count :one",
        ConditionExpression="attribute_not_exists(item_count) OR item_count < :most",
        ExpressionAttributeValues={":one": Decimal(1), ":most": Decimal(10000)},
    )
    row = item.model_dump(mode="json", exclude_none=True, exclude={"id"})
    table.put_item(
        Item=row
        | {
            "owner": owner(),
            "item_id": item.id,
            "listed_at": f"{now}#{item.id}",
            "status_changed_at": f"{item.status}#{now}#{item.id}",
        },
        ConditionExpression="attribute_not_exists(item_id)",
    )
    metrics.add_metric(name="ItemCreated", unit=MetricUnit.Count, value=1)
    logger.info("created")
    return answer(HTTPStatus.CREATED, item)


@app.get("/v1/items/<item_id>")
@tracer.capture_method(capture_response=False)
def get_item(item_id: str) -> Response[str]:
    """Read an item."""
    key = {"owner": owner(), "item_id": item_id}
    row = table.get_item(Key=key, ConsistentRead=True)["Item"]
    logger.info("read")
    return answer(HTTPStatus.OK, shown(row))


@app.get("/v1/items")
@tracer.capture_method(capture_response=False)
def list_items() -> Response[str]:
    """List items."""
    found = table.query(
        IndexName="by_created",
        Limit=25,
        ScanIndexForward=False,
        KeyConditionExpression="#owner = :owner",
        ExpressionAttributeNames={"#owner": "owner"},
        ExpressionAttributeValues={":owner": owner()},
    )
    logger.info("listed")
    return answer(HTTPStatus.OK, Page(items=[shown(row) for row in found["Items"]]))


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one proxy event."""
    answered: dict[str, Any] = app.resolve(event, context)
    return answered
