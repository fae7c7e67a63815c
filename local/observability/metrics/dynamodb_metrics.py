"""AWS/DynamoDB (docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html).

Of several tables in one request (batches, transactions, PartiQL) nothing is counted here, and
nothing is ever throttled.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import dynamodb

from local.observability.metrics.recorder import Recorder, Sample
from local.observability.records import Scope
from local.replication import Write
from local.settings import ACCOUNT_ID

NAMESPACE = "AWS/DynamoDB"
OPERATIONS = {
    "DeleteItem": "_delete_item",
    "GetItem": "_get_item",
    "PutItem": "_put_item",
    "Query": "_query",
    "Scan": "_scan",
    "UpdateItem": "_update_item",
}

_REGION = re.compile(rb"/([a-z0-9-]+)/dynamodb/")

Response = tuple[int, dict[str, Any], bytes]
Document = dict[str, Any]
Handler = Callable[[Document], Response]


def install(recorder: Recorder) -> None:
    """Time what ministack's DynamoDB answers, and sum up what it takes."""
    for operation, name in OPERATIONS.items():
        setattr(dynamodb, name, _timed(recorder, operation, getattr(dynamodb, name)))
    _sum_capacity(recorder)


def _timed(recorder: Recorder, operation: str, handler: Handler) -> Handler:
    def handle(data: Document) -> Response:
        start = time.perf_counter()
        answer = handler(data)
        elapsed = (time.perf_counter() - start) * 1000
        scope = (get_account_id(), get_region())
        table = dynamodb._normalize_table_name(data.get("TableName"))
        status, headers, _ = answer
        if status == 200:
            # AWS gives fractions of a millisecond. A hundredth keeps the distinct values few.
            sample = Sample("SuccessfulRequestLatency", round(elapsed, 2), "Milliseconds")
            dimensions = (("TableName", table), ("Operation", operation))
            recorder.put(scope, NAMESPACE, dimensions, [sample], time.time())
        elif headers.get("x-amzn-errortype") == "ConditionalCheckFailedException":
            sample = Sample("ConditionalCheckFailedRequests", 1, "Count")
            recorder.put(scope, NAMESPACE, (("TableName", table),), [sample], time.time())
        return answer

    return handle


def _sum_capacity(recorder: Recorder) -> None:
    """Ministack computes what an operation takes only for those who ask for it."""
    add: Callable[..., None] = dynamodb._add_consumed_capacity

    def add_consumed_capacity(
        result: Document,
        data: Document,
        table: str,
        write: bool = False,
        **items: Any,  # noqa: ANN401
    ) -> None:
        taken: Document = {}
        add(taken, {**data, "ReturnConsumedCapacity": "TOTAL"}, table, write=write, **items)
        units = taken["ConsumedCapacity"]["CapacityUnits"]
        name = "ConsumedWriteCapacityUnits" if write else "ConsumedReadCapacityUnits"
        scope = (get_account_id(), get_region())
        sample = Sample(name, units, "Count")
        recorder.put(scope, NAMESPACE, (("TableName", table),), [sample], time.time())
        add(result, data, table, write=write, **items)

    dynamodb._add_consumed_capacity = add_consumed_capacity


def failed(recorder: Recorder, headers: dict[bytes, bytes], body: bytes) -> None:
    """Count a signed request of a function that DynamoDB answered with 500."""
    signed_for = _REGION.search(headers[b"authorization"])
    assert signed_for
    table = dynamodb._normalize_table_name(json.loads(body).get("TableName"))
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
