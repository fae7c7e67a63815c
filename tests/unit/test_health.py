"""The health checks: cheap, and honest about what they tried."""

from __future__ import annotations

import re
import socket
import struct
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    ReadTimeoutError,
)

from items.health import Probe, Readiness
from items.table import probe_client
from tests.unit.support import REGION, TABLE

if TYPE_CHECKING:
    import io
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

    from items.health_routes import HealthApi
    from tests.unit.support import Client

OWNER = f"region#{REGION}"
# Written out: the checkers' pace and the drills' limits are computed from these.
KEPT_SECONDS = 1.0
WRITE_EVERY_SECONDS = 3
WELL = Readiness()
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: 2\r\n\r\n{}"
)


def refusal(code: str, status: int = 400) -> ClientError:
    error: Any = {
        "Error": {"Code": code, "Message": "secret"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(error, "Operation")


class Replica:
    """A client that keeps the probe's item, counts what is done, and fails on demand."""

    def __init__(self) -> None:
        self.checked_at: int | None = None
        self.reads = 0
        self.writes = 0
        self.failing: dict[str, Exception] = {}
        self.read_error: Exception | None = None
        self.write_error: Exception | None = None

    def fail_once(self, operation: str, error: Exception) -> None:
        """Fail the next read or write."""
        self.failing[operation] = error

    def _fail(self, operation: str) -> None:
        if error := self.failing.pop(operation, None):
            raise error

    def get_item(self, **call: Any) -> dict[str, Any]:
        """Read."""
        assert call["TableName"] == TABLE
        assert call["ConsistentRead"] is True
        assert call["Key"]["owner"] == {"S": OWNER}
        assert call["Key"]["item_id"]["S"] in {"ready", "takeover"}
        self.reads += 1
        self._fail("read")
        if self.read_error:
            raise self.read_error
        return (
            {} if self.checked_at is None else {"Item": {"checked_at": {"N": str(self.checked_at)}}}
        )

    def update_item(self, **call: Any) -> None:
        """Write."""
        assert call["TableName"] == TABLE
        assert call["Key"] == {"owner": {"S": OWNER}, "item_id": {"S": "ready"}}
        self.writes += 1
        self._fail("write")
        if self.write_error:
            raise self.write_error
        self.checked_at = int(call["ExpressionAttributeValues"][":now"]["N"])


class ForgetfulTable:
    """A table at a port, whose answer to everything is `{}`; it can forget its connections.

    A connection that it has forgotten is closed with a reset when it is used: a frozen
    environment has no part in how its connections end.
    """

    def __init__(self) -> None:
        self.connections = 0
        self._forgotten = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def forget_connections(self) -> None:
        """Answer nothing any more on the connections that are open."""
        self._forgotten = self.connections

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                connection, _ = self._server.accept()
                self.connections += 1
                serve = threading.Thread(target=self._serve, args=(connection, self.connections))
                serve.daemon = True
                serve.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        asked = b""
        with connection:
            while received := connection.recv(65_536):
                if number <= self._forgotten:
                    # Close by a reset: linger, for no time at all.
                    reset = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                    return
                asked += received
                if re.search(rb"\r\n\r\n{.*}$", asked):
                    asked = b""
                    connection.sendall(ANSWER)


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
    return Probe(replica, TABLE, REGION, wall=clock, tick=clock)  # type: ignore[arg-type]


def test_a_region_that_reads_and_writes_is_ready(replica: Replica, clock: Clock) -> None:
    assert probe_of(replica, clock).ready() == WELL
    assert (replica.reads, replica.writes) == (1, 1)


def test_however_many_ask_only_one_writes_every_few_seconds(replica: Replica, clock: Clock) -> None:
    probes = [probe_of(replica, clock) for _ in range(5)]
    writes = []
    for _ in range(WRITE_EVERY_SECONDS * 2):
        assert all(probe.ready() == WELL for probe in probes)
        writes.append(replica.writes)
        clock.seconds += 1
    assert writes == [1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize("ask", [Probe.ready, Probe.takeover], ids=["ready", "takeover"])
def test_within_a_second_one_process_asks_its_replica_once(
    replica: Replica, clock: Clock, ask: Callable[[Probe], object]
) -> None:
    probe = probe_of(replica, clock)
    reads = []
    for seconds in (0, 0.5, 0.375, 0.125, 0.875, 0.125):
        clock.seconds += seconds
        ask(probe)
        reads.append(replica.reads)
    assert reads == [1, 1, 1, 2, 2, 3]


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
        (refusal("InternalServerError", 500), "refused"),
        (ReadTimeoutError(endpoint_url="http://secret"), "timeout"),
        (ConnectTimeoutError(endpoint_url="http://secret"), "timeout"),
    ],
)
def test_what_failed_is_told(replica: Replica, clock: Clock, error: Exception, reason: str) -> None:
    replica.read_error = error
    assert probe_of(replica, clock).ready() == Readiness("read", reason)
    replica.read_error, replica.write_error = None, error
    assert probe_of(replica, clock).ready() == Readiness("write", reason)


def test_a_write_that_somebody_else_has_made_is_ok(replica: Replica, clock: Clock) -> None:
    replica.write_error = refusal("ConditionalCheckFailedException")
    assert probe_of(replica, clock).ready() == WELL


@pytest.mark.parametrize("operation", ["read", "write"])
@pytest.mark.parametrize(
    "code",
    ["ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"],
)
def test_throttling_takes_no_region_out_of_readiness(
    replica: Replica, clock: Clock, code: str, operation: str
) -> None:
    setattr(replica, f"{operation}_error", refusal(code))
    assert probe_of(replica, clock).ready() == WELL


def test_the_probes_write_is_refused_while_another_one_is_newer_than_three_seconds(
    dynamodb: DynamoDBClient, clock: Clock
) -> None:
    probe = Probe(dynamodb, TABLE, REGION, wall=clock, tick=clock)

    def written() -> list[int]:
        rows = dynamodb.scan(TableName=TABLE)["Items"]
        return [int(row["checked_at"]["N"]) - 1_700_000_000_000 for row in rows]

    probe._write()
    assert written() == [0]
    clock.seconds += 2.875
    with pytest.raises(ClientError, match="ConditionalCheckFailedException"):
        probe._write()
    clock.seconds += 0.125
    probe._write()
    assert written() == [3000]


def test_the_probe_writes_its_item_once_for_two_that_race(
    dynamodb: DynamoDBClient, clock: Clock
) -> None:
    first = int(clock.seconds * 1000)
    for _ in range(2):
        probe = Probe(dynamodb, TABLE, REGION, wall=clock, tick=clock)
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
    return Probe(probe_client(REGION), TABLE, REGION, wall=clock, tick=clock)


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


def test_a_reading_a_writing_and_a_retry_fit_into_a_second() -> None:
    client = probe_client("eu-west-3")
    config: Any = client.meta.config
    assert client.meta.region_name == "eu-west-3"
    assert config.retries == {"mode": "standard", "total_max_attempts": 1}
    assert (config.connect_timeout, config.read_timeout) == (0.15, 0.22)
    assert 2 * config.connect_timeout + 3 * config.read_timeout < 1
    assert config.tcp_keepalive is True


NO_ANSWER = [
    ConnectionClosedError(endpoint_url="http://secret"),
    ReadTimeoutError(endpoint_url="http://secret"),
    refusal("InternalServerError", 500),
]


@pytest.mark.parametrize("error", NO_ANSWER, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("operation", ["read", "write"])
def test_one_call_without_an_answer_is_made_again(
    replica: Replica, clock: Clock, operation: str, error: Exception
) -> None:
    replica.fail_once(operation, error)
    assert probe_of(replica, clock).ready() == WELL
    assert (replica.reads, replica.writes) == ((2, 1) if operation == "read" else (1, 2))


def test_a_second_call_without_an_answer_is_the_end(replica: Replica, clock: Clock) -> None:
    replica.fail_once("read", NO_ANSWER[0])
    replica.fail_once("write", NO_ANSWER[0])
    assert probe_of(replica, clock).ready() == Readiness("write", "unreachable")


def test_a_refusal_is_not_asked_for_again(replica: Replica, clock: Clock) -> None:
    replica.fail_once("read", refusal("AccessDeniedException"))
    assert probe_of(replica, clock).ready() == Readiness("read", "refused")


def test_a_switch_is_read_again_when_no_answer_came(replica: Replica, clock: Clock) -> None:
    replica.fail_once("read", NO_ANSWER[0])
    assert probe_of(replica, clock).takeover() is False


def test_a_connection_that_went_away_while_nobody_asked_is_no_outage(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """As after a thaw: the other end has forgotten the connection, and nothing has told ours."""
    with ForgetfulTable() as table:
        probe = probe_at(table.port, monkeypatch, clock)
        assert probe.ready() == WELL
        table.forget_connections()
        clock.seconds += 10
        assert probe.ready() == WELL
        assert table.connections == 2


def test_the_public_answers(client: Client) -> None:
    for path in ("/health", "/health/ready"):
        answer = client.send("GET", path, user=None)
        assert (answer.status, answer.json) == (200, {"status": "ok", "region": REGION})


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/health/takeover"])
@pytest.mark.parametrize("table", [TABLE, "no-such-table"])
def test_an_uptime_monitor_may_ask_without_wanting_a_body(
    client: Client, health: HealthApi, path: str, table: str
) -> None:
    health._probe._table_name = table
    asked, headed = (client.send(method, path, user=None) for method in ("GET", "HEAD"))
    assert (headed.status, headed.body) == (asked.status, "")
    assert headed.headers == asked.headers


def test_a_region_that_is_not_ready_says_what_failed_and_no_more(
    client: Client, health: HealthApi, log: io.StringIO
) -> None:
    health._probe._table_name = "no-such-table"
    answer = client.send("GET", "/health/ready", user=None)
    assert answer.status == 503
    assert (answer.json["failed"], answer.json["reason"]) == ("read", "refused")
    assert answer.json["detail"] == "This Region can't use its table: read failed (refused)."
    assert "no-such-table" not in answer.body
    assert '"reason":"read refused"' in log.getvalue()


def test_a_takeover_is_answered_while_the_switch_is_active(
    client: Client, health: HealthApi, dynamodb: DynamoDBClient
) -> None:
    clock = Clock()
    health._probe = Probe(dynamodb, TABLE, REGION, wall=clock, tick=clock)
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
    answer = client.send("GET", "/health/takeover", user=None)
    assert answer.status == 404
    assert answer.json["detail"] == "Takeover is not active in this Region."
    assert "reason" not in answer.json


def test_a_switch_that_cannot_be_read_is_not_active(
    client: Client, health: HealthApi, log: io.StringIO
) -> None:
    health._probe._table_name = "no-such-table"
    answer = client.send("GET", "/health/takeover", user=None)
    assert (answer.status, answer.json["reason"]) == (404, "unknown")
    assert "Look at /health/ready." in answer.json["detail"]
    assert "no-such-table" not in answer.body
    assert '"reason":"takeover"' in log.getvalue()


def test_a_takeover_is_read_once_a_second(dynamodb: DynamoDBClient) -> None:
    clock = Clock()
    probe = Probe(dynamodb, TABLE, REGION, wall=clock, tick=clock)
    assert probe.takeover() is False
    key = {"owner": {"S": OWNER}, "item_id": {"S": "takeover"}}
    dynamodb.put_item(TableName=TABLE, Item={**key, "active": {"BOOL": True}})
    assert probe.takeover() is False
    clock.seconds += KEPT_SECONDS
    assert probe.takeover() is True
