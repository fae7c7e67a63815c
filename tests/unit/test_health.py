"""The health checks: cheap, and honest about what they tried."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from items.health import KEPT_SECONDS, WRITE_EVERY_MS, Probe, Readiness
from items.table import probe_client
from tests.unit.support import REGION, TABLE

if TYPE_CHECKING:
    import io

    from mypy_boto3_dynamodb import DynamoDBClient

    from tests.unit.support import Client

OWNER = f"region#{REGION}"
WELL = Readiness()


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "secret"}}, "Operation")


class Replica:
    """A client that keeps the probe's item, counts what is done, and fails on demand."""

    def __init__(self) -> None:
        self.checked_at: int | None = None
        self.reads = 0
        self.writes = 0
        self.read_error: Exception | None = None
        self.write_error: Exception | None = None

    def get_item(self, **call: Any) -> dict[str, Any]:
        """Read."""
        assert call["ConsistentRead"] is True
        assert call["Key"] == {"owner": {"S": OWNER}, "item_id": {"S": "ready"}}
        self.reads += 1
        if self.read_error:
            raise self.read_error
        return (
            {} if self.checked_at is None else {"Item": {"checked_at": {"N": str(self.checked_at)}}}
        )

    def update_item(self, **call: Any) -> None:
        """Write."""
        self.writes += 1
        if self.write_error:
            raise self.write_error
        self.checked_at = int(call["ExpressionAttributeValues"][":now"]["N"])


class Clock:
    """A time that stands still until it is moved."""

    seconds = 1_700_000_000.0

    def __call__(self) -> float:
        """Give the time."""
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def replica() -> Replica:
    return Replica()


def probe_of(replica: Replica, clock: Clock) -> Probe:
    return Probe(lambda: replica, TABLE, REGION, wall=clock, tick=clock)  # type: ignore[arg-type, return-value]


def test_a_region_that_reads_and_writes_is_ready(replica: Replica, clock: Clock) -> None:
    assert probe_of(replica, clock).ready() == WELL
    assert (replica.reads, replica.writes) == (1, 1)


def test_however_many_ask_only_one_writes_every_few_seconds(replica: Replica, clock: Clock) -> None:
    probes = [probe_of(replica, clock) for _ in range(5)]
    for _ in range(WRITE_EVERY_MS // 1000 * 2):
        assert all(probe.ready() == WELL for probe in probes)
        clock.seconds += 1
    assert replica.writes == 2


def test_within_a_second_one_process_asks_its_replica_once(replica: Replica, clock: Clock) -> None:
    probe = probe_of(replica, clock)
    for _ in range(100):
        probe.ready()
        clock.seconds += KEPT_SECONDS / 101
    assert replica.reads == 1
    clock.seconds += KEPT_SECONDS
    probe.ready()
    assert replica.reads == 2


def test_what_was_well_a_second_ago_does_not_hide_what_fails_now(
    replica: Replica, clock: Clock
) -> None:
    probe = probe_of(replica, clock)
    assert probe.ready() == WELL
    clock.seconds += KEPT_SECONDS
    replica.read_error = refusal("AccessDeniedException")
    assert probe.ready().failed == "read"
    replica.read_error = None
    clock.seconds += KEPT_SECONDS
    assert probe.ready() == WELL


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (refusal("AccessDeniedException"), "refused"),
        (refusal("ResourceNotFoundException"), "refused"),
        (refusal("InternalServerError"), "refused"),
        (ReadTimeoutError(endpoint_url="http://secret"), "timeout"),
        (ConnectTimeoutError(endpoint_url="http://secret"), "timeout"),
    ],
)
def test_what_failed_is_told(replica: Replica, clock: Clock, error: Exception, reason: str) -> None:
    replica.read_error = error
    assert probe_of(replica, clock).ready() == Readiness("read", reason)
    replica.read_error, replica.write_error = None, error
    assert probe_of(replica, clock).ready() == Readiness("write", reason)


@pytest.mark.parametrize(
    "code", ["ConditionalCheckFailedException", "ProvisionedThroughputExceededException"]
)
def test_a_refusal_that_proves_the_way_is_open_is_ok(
    replica: Replica, clock: Clock, code: str
) -> None:
    replica.write_error = refusal(code)
    assert probe_of(replica, clock).ready() == WELL


def test_the_probe_writes_its_item_once_for_two_that_race(
    dynamodb: DynamoDBClient, clock: Clock
) -> None:
    first = int(clock.seconds * 1000)
    for _ in range(2):
        probe = Probe(lambda: dynamodb, TABLE, REGION, wall=clock, tick=clock)
        probe._read = lambda item_id: {}  # type: ignore[method-assign] # as if both had read before
        assert probe.ready() == WELL
        clock.seconds += 1
    rows = dynamodb.scan(TableName=TABLE)["Items"]
    assert rows == [
        {
            "owner": {"S": OWNER},
            "item_id": {"S": "ready"},
            "checked_at": {"N": str(first)},
        }
    ]


def probe_at(port: int, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Probe:
    """A probe whose replica is at a port of this machine."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    return Probe(lambda: probe_client(REGION), TABLE, REGION, wall=clock, tick=clock)


def test_a_replica_that_never_answers_is_a_timeout(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        probe = probe_at(silent.getsockname()[1], monkeypatch, clock)
        assert probe.ready() == Readiness("read", "timeout")
        assert probe.takeover() is None


def test_a_replica_that_nobody_serves_is_unreachable(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    probe = probe_at(port, monkeypatch, clock)
    assert probe.ready() == Readiness("read", "unreachable")


def test_a_reading_and_a_writing_fit_into_a_second() -> None:
    config: Any = probe_client(REGION).meta.config
    assert config.retries["total_max_attempts"] == 1
    assert config.connect_timeout + 2 * config.read_timeout < 1


def test_the_public_answers(client: Client) -> None:
    for path in ("/health", "/health/ready"):
        answer = client.send("GET", path, user=None)
        assert (answer.status, answer.json) == (200, {"status": "ok", "region": REGION})


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/health/takeover"])
@pytest.mark.parametrize("table", [TABLE, "no-such-table"])
def test_an_uptime_monitor_may_ask_without_wanting_a_body(
    client: Client, path: str, table: str
) -> None:
    client.api._probe._table_name = table
    asked, headed = (client.send(method, path, user=None) for method in ("GET", "HEAD"))
    assert (headed.status, headed.body) == (asked.status, "")
    assert headed.headers == asked.headers


def test_a_region_that_is_not_ready_says_what_failed_and_no_more(
    client: Client, dynamodb: DynamoDBClient, log: io.StringIO
) -> None:
    client.api._probe._table_name = "no-such-table"
    answer = client.send("GET", "/health/ready", user=None)
    assert answer.status == 503
    assert (answer.json["failed"], answer.json["reason"]) == ("read", "refused")
    assert "no-such-table" not in answer.body
    assert '"reason":"read refused"' in log.getvalue()


def test_a_takeover_is_answered_while_the_switch_is_active(
    client: Client, dynamodb: DynamoDBClient
) -> None:
    clock = Clock()
    client.api._probe = Probe(lambda: dynamodb, TABLE, REGION, wall=clock, tick=clock)
    key = {"owner": {"S": OWNER}, "item_id": {"S": "takeover"}}

    def asked() -> int:
        clock.seconds += KEPT_SECONDS
        return client.send("GET", "/health/takeover", user=None).status

    assert asked() == 404
    switches: list[tuple[dict[str, Any], int]] = [
        ({**key, "active": {"BOOL": True}}, 200),
        ({**key, "active": {"BOOL": False}}, 404),
        ({**key}, 404),
        ({**key, "active": {"S": "true"}}, 404),
        ({**key, "active": {"BOOL": True}}, 200),
    ]
    for row, status in switches:
        dynamodb.put_item(TableName=TABLE, Item=row)
        assert asked() == status
    dynamodb.delete_item(TableName=TABLE, Key=key)
    assert asked() == 404


def test_the_switch_of_the_other_region_is_not_this_ones(
    client: Client, dynamodb: DynamoDBClient
) -> None:
    other = {"owner": {"S": "region#us-west-2"}, "item_id": {"S": "takeover"}}
    dynamodb.put_item(TableName=TABLE, Item={**other, "active": {"BOOL": True}})
    assert client.send("GET", "/health/takeover", user=None).status == 404


def test_a_switch_that_cannot_be_read_is_not_active(client: Client, log: io.StringIO) -> None:
    client.api._probe._table_name = "no-such-table"
    answer = client.send("GET", "/health/takeover", user=None)
    assert (answer.status, answer.json["reason"]) == (404, "unknown")
    assert "no-such-table" not in answer.body
    assert '"reason":"takeover"' in log.getvalue()


def test_a_takeover_is_read_once_a_second(dynamodb: DynamoDBClient) -> None:
    clock = Clock()
    probe = Probe(lambda: dynamodb, TABLE, REGION, wall=clock, tick=clock)
    assert probe.takeover() is False
    key = {"owner": {"S": OWNER}, "item_id": {"S": "takeover"}}
    dynamodb.put_item(TableName=TABLE, Item={**key, "active": {"BOOL": True}})
    assert probe.takeover() is False
    clock.seconds += KEPT_SECONDS
    assert probe.takeover() is True
