"""The operator's switch: one data-plane write in the standby Region.

The standby's /health/takeover reads the item that is written here, an inverted Route 53 health
check watches that answer, and the primary's record follows the check. So the switch needs neither
the primary Region nor Route 53's control plane.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Switch:
    """The switch of one standby Region, in the table that the Regions share."""

    client: DynamoDBClient
    table_name: str
    standby_region: str

    def activate(self) -> bool:
        """Tell the standby to take over; False when it was active already."""
        return not self._set(active=True)

    def deactivate(self) -> bool:
        """End the takeover; False when there was none."""
        return self._set(active=False)

    def _set(self, *, active: bool) -> bool:
        """Write the switch; return what it was. Raises botocore's errors as they are."""
        before = self.client.update_item(
            TableName=self.table_name,
            Key={"owner": {"S": f"region#{self.standby_region}"}, "item_id": {"S": "takeover"}},
            UpdateExpression="SET active = :active, changed_at = :now",
            ExpressionAttributeValues={
                ":active": {"BOOL": active},
                ":now": {"S": datetime.now(UTC).isoformat(timespec="milliseconds")},
            },
            ReturnValues="UPDATED_OLD",
        )
        return bool(before.get("Attributes", {}).get("active", {}).get("BOOL", False))
