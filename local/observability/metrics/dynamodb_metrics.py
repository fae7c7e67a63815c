"""AWS/DynamoDB (docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html).

Of several tables in one request (batches, transactions, PartiQL) nothing is counted here, and
nothing is ever throttled.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from local.observability.metrics.recorder import Dimensions, Recorder, Sample
from local.patches import dynamodb
from local.patches.dynamodb import Operation
from local.records import Scope
from local.settings import ACCOUNT_ID

if TYPE_CHECKING:
    from local.replication import Write

NAMESPACE = "AWS/DynamoDB"
_REGION = re.compile(rb"/([a-z0-9-]+)/dynamodb/")


def install(recorder: Recorder) -> None:
    """Record what DynamoDB answers, and what it takes."""

    def operation(done: Operation) -> None:
        if done.error is None:
            # AWS gives fractions of a millisecond. A hundredth keeps the distinct values few.
            latency = round(done.milliseconds, 2)
            sample = Sample("SuccessfulRequestLatency", latency, "Milliseconds")
            dimensions: Dimensions = (("TableName", done.table), ("Operation", done.name))
        elif done.error == "ConditionalCheckFailedException":
            sample = Sample("ConditionalCheckFailedRequests", 1, "Count")
            dimensions = (("TableName", done.table),)
        else:
            return
        recorder.put(done.scope, NAMESPACE, dimensions, [sample], time.time())

    def capacity(scope: Scope, table: str, units: float, write: bool) -> None:
        name = "ConsumedWriteCapacityUnits" if write else "ConsumedReadCapacityUnits"
        sample = Sample(name, units, "Count")
        recorder.put(scope, NAMESPACE, (("TableName", table),), [sample], time.time())

    dynamodb.on_operations(operation)
    dynamodb.on_capacity(capacity)


def failed(recorder: Recorder, headers: dict[bytes, bytes], body: bytes) -> None:
    """Count a signed request of a function that DynamoDB answered with 500."""
    signed_for = _REGION.search(headers[b"authorization"])
    assert signed_for
    table = dynamodb.table_name(json.loads(body).get("TableName"))
    operation = headers[b"x-amz-target"].decode().rpartition(".")[2]
    dimensions = (("TableName", table), ("Operation", operation))
    sample = Sample("SystemErrors", 1, "Count")
    scope = (ACCOUNT_ID, signed_for[1].decode())
    recorder.put(scope, NAMESPACE, dimensions, [sample], time.time())


def replication_into(recorder: Recorder) -> Callable[[Write, float], None]:
    """A listener that records the latency of each write that arrives.

    It counts in the Region that wrote (V2globaltables_monitoring). A write that waits leaves
    nothing until it arrives: while a Region is cut off there are no data points, then high ones.
    """

    def listen(write: Write, seconds: float) -> None:
        scope: Scope = (write.account, write.source)
        dimensions = (("TableName", write.table), ("ReceivingRegion", write.target))
        sample = Sample("ReplicationLatency", round(seconds * 1000), "Milliseconds")
        recorder.put(scope, NAMESPACE, dimensions, [sample], time.time())

    return listen
