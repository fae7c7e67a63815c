"""Looks into each Region's own replica, past the API, for what became of the users' writes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from drills.history import Row, Snapshot
from drills.journal import Journal
from drills.system import System
from drills.test_users import User
from drills.traffic import operation_of, updates_in

LOOK_AGAIN_SECONDS = 0.5


def snapshot(system: System, region: str, users: Sequence[User], journal: Journal) -> Snapshot:
    """Read all rows of the users in one Region, consistently."""
    at = journal.clock()
    rows = [row for user in users for row in _rows(system, region, user)]
    return Snapshot(at, region, tuple(rows))


def settled(
    system: System, users: Sequence[User], journal: Journal, seconds: float
) -> tuple[Snapshot, ...]:
    """Read both Regions until they hold the same, or the seconds are over."""
    deadline = time.monotonic() + seconds
    while True:
        seen = tuple(snapshot(system, region, users, journal) for region in system.regions)
        if len({frozenset(each.rows) for each in seen}) == 1 or time.monotonic() > deadline:
            return seen
        time.sleep(LOOK_AGAIN_SECONDS)


def _rows(system: System, region: str, user: User) -> list[Row]:
    pages = (
        system.dynamodb(region)
        .get_paginator("query")
        .paginate(
            TableName=system.deployment.table_name,
            ConsistentRead=True,
            KeyConditionExpression="#owner = :owner",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":owner": {"S": user.owner}},
            ProjectionExpression="#owner, item_id, title, notes",
        )
    )
    # A person's records (quota#…, owner#…; lambda/items/table.py) have no title.
    return [_row(each) for page in pages for each in page["Items"] if "title" in each]


def _row(attributes: Mapping[str, Any]) -> Row:
    return Row(
        owner=attributes["owner"]["S"],
        item_id=attributes["item_id"]["S"],
        created_by=operation_of(attributes["title"]["S"]),
        updates=updates_in(attributes.get("notes", {}).get("S", "")),
    )
