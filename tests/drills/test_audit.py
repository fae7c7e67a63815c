"""The audit reads each Region's own replica, past the API, consistently and to its last page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber
from moto import mock_aws

from drills import audit
from drills.history import Row, Snapshot
from drills.journal import Journal
from drills.system import System
from drills.test_users import User
from tests.drills.histories import PRIMARY, STANDBY
from tests.drills.systems import system

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TABLE = "items"
ADA, GRACE = User("ada", "token"), User("grace", "token")
# Beyond the megabyte that one page holds.
LARGE = "x" * 300_000


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path, lambda: 7.0)


@pytest.fixture
def regions(monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    """Two Regions, each with a table of its own that nothing replicates between."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        made = system()
        for region in made.regions:
            made.dynamodb(region).create_table(
                TableName=TABLE,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[
                    {"AttributeName": "owner", "KeyType": "HASH"},
                    {"AttributeName": "item_id", "KeyType": "RANGE"},
                ],
                AttributeDefinitions=[
                    {"AttributeName": "owner", "AttributeType": "S"},
                    {"AttributeName": "item_id", "AttributeType": "S"},
                ],
            )
        yield made


def put(system: System, region: str, user: User, item_id: str, **attributes: str) -> None:
    """Write an item into one Region's table."""
    item: Any = {"owner": {"S": user.owner}, "item_id": {"S": item_id}}
    item |= {name: {"S": value} for name, value in attributes.items()}
    system.dynamodb(region).put_item(TableName=TABLE, Item=item)


def test_each_region_is_read_by_itself(regions: System, journal: Journal) -> None:
    put(regions, PRIMARY, ADA, "here", title="operation 1")
    put(regions, STANDBY, ADA, "there", title="operation 2")

    assert audit.snapshot(regions, PRIMARY, [ADA], journal) == Snapshot(
        7.0, PRIMARY, (Row(ADA.owner, "here", 1),)
    )
    assert audit.snapshot(regions, STANDBY, [ADA], journal) == Snapshot(
        7.0, STANDBY, (Row(ADA.owner, "there", 2),)
    )


def test_a_row_says_who_made_it_and_which_updates_stand_in_it(
    regions: System, journal: Journal
) -> None:
    put(regions, PRIMARY, ADA, "a", title="counter", notes="7 12")
    put(regions, PRIMARY, ADA, "b", title="operation 30")
    put(regions, PRIMARY, ADA, "c", title="counter", notes="")

    assert audit.snapshot(regions, PRIMARY, [ADA], journal).rows == (
        Row(ADA.owner, "a", 0, frozenset({7, 12})),
        Row(ADA.owner, "b", 30),
        Row(ADA.owner, "c", 0),
    )


def test_all_users_are_read_and_nobody_else_and_none_of_their_records(
    regions: System, journal: Journal
) -> None:
    put(regions, PRIMARY, ADA, "a", title="operation 1")
    put(regions, PRIMARY, GRACE, "g", title="operation 2")
    put(regions, PRIMARY, User("eve", ""), "e", title="operation 3")
    put(regions, PRIMARY, ADA, "quota#items", count="1")

    rows = audit.snapshot(regions, PRIMARY, [ADA, GRACE], journal).rows

    assert [(row.owner, row.item_id) for row in rows] == [(ADA.owner, "a"), (GRACE.owner, "g")]


def test_every_page_is_read(regions: System, journal: Journal) -> None:
    for number in range(1, 10):
        put(regions, PRIMARY, ADA, f"{number}", title=f"operation {number}", blob=LARGE)

    rows = audit.snapshot(regions, PRIMARY, [ADA], journal).rows

    assert [row.created_by for row in rows] == list(range(1, 10))


def test_replicas_are_read_consistently(journal: Journal) -> None:
    made = system()
    client = boto3.Session().client(
        "dynamodb", region_name=PRIMARY, aws_access_key_id="a", aws_secret_access_key="a"
    )
    made._clients["dynamodb", PRIMARY] = client
    page: Any = {
        "TableName": TABLE,
        "ConsistentRead": True,
        "KeyConditionExpression": "#owner = :owner",
        "ExpressionAttributeNames": {"#owner": "owner"},
        "ExpressionAttributeValues": {":owner": {"S": ADA.owner}},
        "ProjectionExpression": "#owner, item_id, title, notes",
    }
    key = {"owner": {"S": ADA.owner}, "item_id": {"S": "1"}}
    item = {**key, "title": {"S": "operation 1"}}
    with Stubber(client) as stub:
        stub.add_response("query", {"Items": [item], "LastEvaluatedKey": key}, page)
        stub.add_response("query", {"Items": [item]}, {**page, "ExclusiveStartKey": ANY})
        rows = audit.snapshot(made, PRIMARY, [ADA], journal).rows
        stub.assert_no_pending_responses()

    assert len(rows) == 2


def test_a_region_that_cannot_be_read_is_no_empty_one(journal: Journal) -> None:
    made = system()
    client = boto3.Session().client(
        "dynamodb", region_name=PRIMARY, aws_access_key_id="a", aws_secret_access_key="a"
    )
    made._clients["dynamodb", PRIMARY] = client
    with Stubber(client) as stub:
        stub.add_client_error("query", "AccessDeniedException")
        with pytest.raises(ClientError):
            audit.snapshot(made, PRIMARY, [ADA], journal)


def test_regions_that_agree_are_settled_at_once(regions: System, journal: Journal) -> None:
    for region in regions.regions:
        put(regions, region, ADA, "a", title="operation 1")

    seen = audit.settled(regions, [ADA], journal, seconds=3600)

    assert [each.region for each in seen] == [PRIMARY, STANDBY]
    assert [each.rows for each in seen] == [(Row(ADA.owner, "a", 1),)] * 2


def test_regions_are_waited_for_until_they_agree(
    regions: System, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(regions, PRIMARY, ADA, "a", title="operation 1")
    waits: list[float] = []

    def arrive(seconds: float) -> None:
        waits.append(seconds)
        put(regions, STANDBY, ADA, "a", title="operation 1")

    monkeypatch.setattr("drills.audit.time.sleep", arrive)
    seen = audit.settled(regions, [ADA], journal, seconds=3600)

    assert waits == [0.5]
    assert [len(each.rows) for each in seen] == [1, 1]


def test_regions_that_never_agree_are_given_as_they_are(
    regions: System, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An acknowledged row is gone from one replica: the audit finds it, whichever that is."""
    put(regions, PRIMARY, ADA, "a", title="operation 1")
    clock = iter([0.0, 10.0, 10.1])
    monkeypatch.setattr("drills.audit.time.monotonic", lambda: next(clock))
    monkeypatch.setattr("drills.audit.time.sleep", lambda _seconds: None)

    seen = audit.settled(regions, [ADA], journal, seconds=10.0)

    assert [(each.region, len(each.rows)) for each in seen] == [(PRIMARY, 1), (STANDBY, 0)]
    assert next(clock, None) is None
