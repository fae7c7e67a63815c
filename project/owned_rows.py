"""Throw-away owners of items: how the table names them, and how all that is theirs is removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def owner_of(username: str) -> str:
    """Name the owner of a user's items, as the function does."""
    return f"user#{username}"


def remove_rows(client: DynamoDBClient, table_name: str, owner: str) -> None:
    """Remove every row of an owner from one replica. Raises botocore's errors as they are."""
    pages = client.get_paginator("query").paginate(
        TableName=table_name,
        KeyConditionExpression="#owner = :owner",
        ExpressionAttributeNames={"#owner": "owner"},
        ExpressionAttributeValues={":owner": {"S": owner}},
        ProjectionExpression="#owner, item_id",
    )
    for page in pages:
        for row in page["Items"]:
            key = {"owner": row["owner"], "item_id": row["item_id"]}
            client.delete_item(TableName=table_name, Key=key)
