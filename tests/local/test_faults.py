"""Faults of a Region: what each does at its endpoint or its table, to whom, and until when."""

import socket
import ssl
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import requests

from local import addressing, process
from local.faults import KINDS, Fault, Faults
from local.settings import Settings
from tests.local.global_layer import ORIGIN, GlobalLayer
from tests.support.emulator import DOMAIN, REGIONS, TABLE, Emulator, Stack, command, eventually

BROKEN, OTHER = REGIONS
PROBES_WRITE = b'{"Key": {"owner": {"S": "region#us-east-1"}, "item_id": {"S": "ready"}}}'


def refused(layer: GlobalLayer, region: str) -> bool:
    """Whether a Region's own address takes no connection at all."""
    try:
        layer.at(region, ORIGIN, "/where")
    except requests.ConnectionError as error:
        return "Connection refused" in str(error)
    return False


@pytest.mark.parametrize("kind", ["refuse", "partition"])
def test_an_endpoint_that_is_shut_refuses_at_its_address_and_cuts_elsewhere(
    layer: GlobalLayer, kind: str
) -> None:
    with layer.fault(BROKEN, kind):
        assert refused(layer, BROKEN)
        with pytest.raises(requests.ConnectionError):
            layer.stack.get(BROKEN, "/where")
        assert layer.stack.get(OTHER, "/where").status_code == 200
        assert layer.at(OTHER, ORIGIN, "/where").status_code == 200

    assert layer.stack.get(BROKEN, "/where").status_code == 200
    assert layer.at(BROKEN, ORIGIN, "/where").status_code == 200


def test_a_connection_that_is_open_is_cut_when_the_endpoint_shuts(layer: GlobalLayer) -> None:
    """At once: nothing more is sent on it."""
    settings = layer.emulator.settings
    trusted = ssl.create_default_context(cafile=str(settings.ca / "ca.pem"))
    there = (addressing.address(BROKEN), settings.https_port)
    with (
        socket.create_connection(there, timeout=5) as plain,
        trusted.wrap_socket(plain, server_hostname=ORIGIN) as kept,
    ):
        kept.sendall(f"GET /where HTTP/1.1\r\nHost: {ORIGIN}\r\n\r\n".encode())
        assert kept.recv(65536).startswith(b"HTTP/1.1 200")
        with layer.fault(BROKEN, "refuse"):
            assert ends(kept)


def ends(connection: socket.socket) -> bool:
    """Whether the other side ends a connection, within the connection's own timeout."""
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


@pytest.mark.parametrize("way", ["name", "address"])
def test_an_endpoint_in_error_answers_503(layer: GlobalLayer, way: str) -> None:
    with layer.fault(BROKEN, "error"):
        answer = (
            layer.stack.get(BROKEN, "/health")
            if way == "name"
            else layer.at(BROKEN, ORIGIN, "/health")
        )

    assert (answer.status_code, answer.json()) == (503, {"message": "Service Unavailable"})


def test_an_endpoint_that_hangs_answers_nothing_until_it_is_healed(layer: GlobalLayer) -> None:
    with ThreadPoolExecutor(1) as pool:
        with layer.fault(BROKEN, "hang"):
            waiting: Future[requests.Response] = pool.submit(layer.stack.get, BROKEN, "/where")
            with pytest.raises(requests.ReadTimeout):
                layer.stack.get(BROKEN, "/where", timeout=0.5)
            assert not waiting.done()

        with pytest.raises(requests.ConnectionError):
            waiting.result()
    assert layer.stack.get(BROKEN, "/where").status_code == 200


def test_an_endpoint_that_is_slow_lets_the_request_in_later(layer: GlobalLayer) -> None:
    with layer.fault(BROKEN, "slow", milliseconds=300):
        answer = layer.stack.get(BROKEN, "/where", method="POST", data="x")

    assert answer.elapsed.total_seconds() >= 0.3
    assert answer.json()["event"]["body"] == "x"


def test_a_partition_holds_replication_both_ways_and_the_last_writer_wins_when_it_is_healed(
    layer: GlobalLayer,
) -> None:
    stack = layer.stack
    with layer.fault(BROKEN, "partition"):
        stack.put(BROKEN, "cut", "both", "older")
        stack.put(OTHER, "cut", "both", "newer")
        stack.put(BROKEN, "cut", "there", "x")
        replication = layer.emulator.status()["replication"]
        assert replication["paused"] == [BROKEN]
        assert replication["pending"] == 3
        assert stack.items(OTHER, "cut") == {"both": "newer"}

    expected = {"both": "newer", "there": "x"}
    for region in REGIONS:
        eventually(lambda region=region: stack.items(region, "cut") == expected)  # type: ignore[misc]


def test_a_broken_table_fails_the_function_of_that_region_and_no_operator(
    layer: GlobalLayer,
) -> None:
    stack = layer.stack
    with layer.fault(BROKEN, "table"):
        assert stack.get(BROKEN, "/where").status_code == 200
        assert stack.get(BROKEN, "/write").status_code == 502
        assert stack.get(OTHER, "/write").status_code == 200
        stack.put(BROKEN, "operator", "1", "x")
        assert stack.items(BROKEN, "operator") == {"1": "x"}

    assert stack.get(BROKEN, "/write").status_code == 200


def test_a_lost_answer_is_that_of_a_write_which_is_done(layer: GlobalLayer) -> None:
    stack = layer.stack
    table = layer.emulator.client("dynamodb", BROKEN)
    table.delete_item(TableName=TABLE, Key={"owner": {"S": "f"}, "item_id": {"S": "1"}})
    with layer.fault(BROKEN, "lost"):
        # The function here makes one attempt alone.
        assert stack.get(BROKEN, "/write").status_code == 502
        assert list(stack.items(BROKEN, "f")) == ["1"]
        assert stack.get(OTHER, "/write").status_code == 200
        stack.put(BROKEN, "operator", "2", "x")

    assert stack.get(BROKEN, "/write").status_code == 200


@pytest.mark.parametrize(
    ("target", "attempt", "key", "lost"),
    [
        ("PutItem", "attempt=1", "ASIA", True),
        ("UpdateItem", "attempt=1", "ASIA", True),
        ("BatchWriteItem", "ttl=1; attempt=1; max=2", "ASIA", True),
        ("TransactWriteItems", "attempt=1", "ASIA", True),
        ("PutItem", "attempt=2; max=2", "ASIA", False),
        ("PutItem", "attempt=11", "ASIA", False),
        ("GetItem", "attempt=1", "ASIA", False),
        ("Query", "attempt=1", "ASIA", False),
        ("UpdateTable", "attempt=1", "ASIA", False),
        ("PutItem", "attempt=1", "AKIA", False),
    ],
)
def test_the_first_answer_to_a_functions_write_is_lost_and_no_other(
    target: str, attempt: str, key: str, lost: bool
) -> None:
    faults = Faults()
    scope = f"{key}X/20260101/{BROKEN}/dynamodb/aws4_request"
    headers = {
        b"x-amz-target": f"DynamoDB_20120810.{target}".encode(),
        b"amz-sdk-request": attempt.encode(),
        b"authorization": f"AWS4-HMAC-SHA256 Credential={scope}, …".encode(),
    }
    for kind in KINDS:
        faults.set(BROKEN, Fault(kind))
        assert faults.loses_answer(headers, b"{}") is (lost and kind == "lost")
        assert not faults.loses_answer(headers, PROBES_WRITE)
    faults.heal(BROKEN)
    faults.set(OTHER, Fault("lost"))
    assert not faults.loses_answer(headers, b"{}")


def test_a_fault_takes_the_place_of_the_one_before(layer: GlobalLayer) -> None:
    with layer.fault(BROKEN, "partition"), layer.fault(BROKEN, "error"):
        assert layer.stack.get(BROKEN, "/where").status_code == 503
        assert layer.emulator.status()["replication"]["paused"] == []


def test_healing_without_a_region_heals_all(layer: GlobalLayer) -> None:
    with layer.fault(BROKEN, "error"), layer.fault(OTHER, "partition"):
        endpoints = layer.faults("DELETE").json()["endpoints"]

    assert [endpoint["fault"] for endpoint in endpoints] == [None, None]


@pytest.mark.parametrize(
    ("requested", "listed"),
    [
        ({"region": "eu-west-1", "kind": "hang"}, "us-east-1, us-west-2"),
        ({"kind": "hang"}, "us-east-1, us-west-2"),
        (
            {"region": BROKEN, "kind": "explode"},
            "refuse, hang, error, slow, partition, table, lost",
        ),
        ({"region": BROKEN}, "refuse, hang, error, slow, partition, table, lost"),
        ({"region": BROKEN, "kind": "slow"}, "slow needs them"),
        ({"region": BROKEN, "kind": "hang", "milliseconds": 5}, "go with slow"),
        ({"region": BROKEN, "kind": "slow", "milliseconds": 0}, "from 1 to 60000"),
        ({"region": BROKEN, "kind": "slow", "milliseconds": "5"}, "from 1 to 60000"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_with_what_does(
    layer: GlobalLayer, requested: dict[str, object], listed: str
) -> None:
    answer = layer.faults("POST", **requested)

    assert answer.status_code == 400
    assert listed in answer.json()["message"]


def test_a_region_that_is_not_here_can_not_be_healed(layer: GlobalLayer) -> None:
    assert layer.faults("DELETE", region="eu-west-1").status_code == 400


def test_the_command_line_breaks_and_heals_and_status_shows_it(layer: GlobalLayer) -> None:
    slow = ("--kind", "slow", "--milliseconds", "5")
    broken = command(layer.emulator.settings, "fault", "--region", OTHER, *slow)
    try:
        assert (broken.returncode, broken.stderr) == (0, "")
        shown = command(layer.emulator.settings, "status").stdout
        at = f"{addressing.address(OTHER)}:{layer.emulator.settings.https_port}"
        assert f"endpoint    {OTHER} at {at}: slow (5 ms)" in shown
        assert f"edge        https://api.{DOMAIN}:{layer.emulator.settings.https_port}" in shown
        assert f"dns         {ORIGIN}: {BROKEN} serves" in shown
        assert f"{ORIGIN}. 1 IN CNAME {BROKEN}.{DOMAIN}" in shown
    finally:
        healed = command(layer.emulator.settings, "heal")

    assert healed.stdout.splitlines() == [f"{BROKEN:<11} open", f"{OTHER:<11} open"]


def test_the_command_line_says_which_regions_there_are(layer: GlobalLayer) -> None:
    refused_command = command(
        layer.emulator.settings, "fault", "--region", "mars", "--kind", "hang"
    )

    assert refused_command.returncode == 1
    assert "Regions: us-east-1, us-west-2." in refused_command.stderr


def test_an_emulator_that_starts_is_healthy(own_settings: Settings) -> None:
    process.start(own_settings)
    emulator = Emulator(own_settings)
    emulator.client("apigateway").create_domain_name(domainName=f"{BROKEN}.{DOMAIN}")
    reported = process.control(
        own_settings, "POST", "/_local/faults", {"region": BROKEN, "kind": "refuse"}
    )
    assert reported["endpoints"][0]["fault"] == "refuse"

    process.stop(own_settings)
    process.start(own_settings)

    assert emulator.status()["endpoints"][0]["fault"] is None


def test_a_fault_without_an_emulator_says_how_to_start_one(own_settings: Settings) -> None:
    answer = command(own_settings, "fault", "--region", BROKEN, "--kind", "hang")

    assert answer.returncode == 1
    assert "make start" in answer.stderr


def test_the_stack_is_whole_afterwards(stack: Stack) -> None:
    assert {stack.get(region, "/where").status_code for region in REGIONS} == {200}
