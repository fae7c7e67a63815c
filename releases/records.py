"""The ledger's rows: one partition a Region, in the table of the items.

`release#<Region>`, with the sort keys `claim`, `serving`, `mark#<fingerprint>` and
`event#<time>#<run>`; what each says is JSON in `document`. The table replicates, so that either
Region tells of both. The functions' roles can't touch these rows: theirs begin otherwise.

A Region's own rows are written in its own replica, as a condition is checked against the replica
that is asked alone (globaltables, "Conflict resolution"): two releases of a Region meet there.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from project.console import ToolchainError
from releases.ledger import Claim, Event, Ledger, Mark, Serving
from releases.versions import Versions

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# How long a claim lasts that nobody renews: a release renews it at every look.
LEASE_SECONDS = 120.0
# Events are history: 400 days of them. What serves and what is marked stays.
EVENT_SECONDS = 400 * 86_400

Item = Any  # botocore's attribute values


class ClaimedError(ToolchainError):
    """Another release of the Region runs."""


class LostClaimError(ToolchainError):
    """The claim is somebody else's now: they have put right what they found."""


@dataclass(frozen=True, slots=True)
class Records:
    """One Region's rows, read and written through one Region's replica.

    Every method raises botocore's errors as they are. `wall` is a clock, in epoch seconds.
    """

    client: DynamoDBClient
    table_name: str
    region: str
    wall: Callable[[], float] = time.time

    def read(self) -> Ledger:
        """Read all rows, consistently."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table_name,
            KeyConditionExpression="#owner = :owner",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":owner": {"S": self._owner}},
            ConsistentRead=True,
        )
        return ledger_of([item for page in pages for item in page["Items"]])

    def read_claim(self) -> Claim | None:
        """Read whose release runs, or broke off."""
        found = self.client.get_item(
            TableName=self.table_name, Key=self._key("claim"), ConsistentRead=True
        )
        return _claim(found["Item"]) if "Item" in found else None

    def claim(self, claim: Claim) -> None:
        """Claim the Region for a release, or say anew what this one is about.

        Raises ClaimedError while another one runs. One whose lease is over doesn't.
        """
        try:
            self.client.put_item(
                TableName=self.table_name,
                Item=self._claim_row(claim),
                ConditionExpression=(
                    "attribute_not_exists(item_id) OR #run = :run OR #until < :now"
                ),
                ExpressionAttributeNames={"#run": "run", "#until": "until"},
                ExpressionAttributeValues={
                    ":run": {"S": claim.run},
                    ":now": {"N": str(self.wall())},
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != CONDITION_FAILED:
                raise
            raise ClaimedError(_claimed(self.region, error.response)) from None

    def renew(self, run: str) -> None:
        """Prolong the lease. Raises LostClaimError where the claim isn't this run's any more."""
        try:
            self.client.update_item(
                TableName=self.table_name,
                Key=self._key("claim"),
                UpdateExpression="SET #until = :until",
                ConditionExpression="#run = :run",
                ExpressionAttributeNames={"#run": "run", "#until": "until"},
                ExpressionAttributeValues={
                    ":run": {"S": run},
                    ":until": {"N": str(self.wall() + LEASE_SECONDS)},
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != CONDITION_FAILED:
                raise
            raise LostClaimError(
                f"The release of {self.region} was taken for dead, and another one has begun."
            ) from None

    def conclude(
        self,
        run: str | None,
        event: Event,
        serving: Serving | None = None,
        mark: Mark | None = None,
    ) -> None:
        """Write what a release came to, and end its claim: all of it or nothing.

        Without a run there is no claim to end. One that is somebody else's by now stays.
        """
        rows: list[Any] = [self._put(f"event#{event.at}#{event.run}", event, self._expiry())]
        if serving:
            rows.append(self._put("serving", serving))
        if mark:
            rows.append(self._put(f"mark#{mark.fingerprint}", mark))
        if run:
            rows.append(
                {
                    "Delete": {
                        "TableName": self.table_name,
                        "Key": self._key("claim"),
                        "ConditionExpression": "attribute_not_exists(item_id) OR #run = :run",
                        "ExpressionAttributeNames": {"#run": "run"},
                        "ExpressionAttributeValues": {":run": {"S": run}},
                    }
                }
            )
        try:
            self.client.transact_write_items(TransactItems=rows)
        except ClientError as error:
            if CONDITION not in _reasons(error):
                raise
            raise LostClaimError(
                f"The release of {self.region} was taken for dead, and another one has begun."
            ) from None

    def unmark(self, fingerprint: str) -> None:
        """Take a mark away."""
        self.client.delete_item(TableName=self.table_name, Key=self._key(f"mark#{fingerprint}"))

    @property
    def _owner(self) -> str:
        return f"release#{self.region}"

    def _key(self, item_id: str) -> Item:
        return {"owner": {"S": self._owner}, "item_id": {"S": item_id}}

    def _claim_row(self, claim: Claim) -> Item:
        # The lease is an attribute of its own, as conditions go by it.
        return {
            **self._row("claim", claim),
            "run": {"S": claim.run},
            "until": {"N": str(self.wall() + LEASE_SECONDS)},
        }

    def _put(self, item_id: str, said: Event | Mark | Serving, more: Item | None = None) -> Item:
        row = {**self._row(item_id, said), **(more or {})}
        return {"Put": {"TableName": self.table_name, "Item": row}}

    def _row(self, item_id: str, said: Claim | Event | Mark | Serving) -> Item:
        return {**self._key(item_id), "document": {"S": json.dumps(asdict(said))}}

    def _expiry(self) -> Item:
        return {"expires_at": {"N": str(int(self.wall() + EVENT_SECONDS))}}


CONDITION_FAILED = "ConditionalCheckFailedException"
# As a transaction says it (TransactWriteItems, CancellationReasons).
CONDITION = "ConditionalCheckFailed"


def ledger_of(items: list[Item]) -> Ledger:
    """Read rows; of those that a later version wrote, what this one knows."""
    rows = {item["item_id"]["S"]: item for item in items}

    def documents(prefix: str) -> list[dict[str, Any]]:
        return [
            json.loads(item["document"]["S"])
            for key, item in sorted(rows.items())
            if key.startswith(prefix)
        ]

    return Ledger(
        claim=_claim(rows["claim"]) if "claim" in rows else None,
        serving=next((Serving(**_versions(each)) for each in documents("serving")), None),
        marks=tuple(Mark(**_versions(each)) for each in documents("mark#")),
        events=tuple(Event(**_versions(each)) for each in documents("event#")),
    )


def _reasons(error: ClientError) -> list[str]:
    return [reason.get("Code", "") for reason in error.response.get("CancellationReasons", ())]


def _claim(item: Item) -> Claim:
    document = _versions(json.loads(item["document"]["S"]))
    return Claim(**{**document, "until": float(item["until"]["N"])})


def _versions(document: Mapping[str, Any]) -> dict[str, Any]:
    named = ("versions", "before", "target")
    return {
        key: Versions(**said) if key in named and said is not None else said
        for key, said in document.items()
    }


def _claimed(region: str, response: Mapping[str, Any]) -> str:
    item = response.get("Item")
    claim = _claim(item) if item else None
    whose = f"{claim.who}, since {claim.since}" if claim else "somebody"
    return (
        f"Another release of {region} runs ({whose}): let it end, then apply again. "
        "`make releases` shows it; `make rollback` ends it."
    )
