"""What the function tells those who run it, and what it never tells."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from items.fence import Refusal
from items.health import Readiness
from items.problems import Problem
from items.settings import FunctionSettings, Settings, SettingsError
from items.table import TableBusy, TableUnavailable
from tests.support import log_queries
from tests.unit.support import (
    ALICE,
    CLIENT_ID,
    EXTENDED_REQUEST_ID,
    REGION,
    REQUEST_ID,
    SUBS,
    event,
)

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator

    from tests.unit.support import Client

ROOT = Path(__file__).parents[2]
ITEM = "/v1/items/01234567-89ab-8def-8123-456789abcdef"
# What the functions can't do without: both, and the users' alone.
SHARED = {
    "AWS_REGION": "eu-central-1",
    "TABLE_NAME": "things",
    "POWERTOOLS_SERVICE_NAME": "items",
    "POWERTOOLS_METRICS_NAMESPACE": "landing-local",
}
ENVIRONMENT = SHARED | {
    "CLIENT_IDS": "phone, web",
    "MAX_ITEMS_PER_OWNER": "500",
    "STANDBY_REGION": "eu-west-1",
}


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def metrics(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines() if '"_aws"' in line]


def test_a_request_leaves_one_line_that_can_be_followed(client: Client, log: io.StringIO) -> None:
    made = client.create(headers={"X-Amz-Cf-Id": "edge=="})
    client.send("GET", made.headers["location"])
    first, second = lines(log)
    owner_hash = hashlib.sha256(SUBS[ALICE].encode()).hexdigest()[:16]
    assert (
        first
        | {
            "level": "INFO",
            "method": "POST",
            "route": "/v1/items",
            "status": 201,
            "request_id": REQUEST_ID,
            "extended_request_id": EXTENDED_REQUEST_ID,
            "edge_request_id": "edge==",
            "owner_hash": owner_hash,
            "cold_start": True,
            "service": "items",
        }
        == first
    )
    assert second["route"] == "/v1/items/{id}"
    assert second["cold_start"] is False
    assert second["edge_request_id"] == ""


def test_a_line_says_how_long_the_request_took(
    client: Client, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter([100.0, 100.12345])
    monkeypatch.setattr(time, "perf_counter", lambda: next(ticks))
    client.send("GET", "/v1/items", user=None)
    (line,) = lines(log)
    assert line["duration_ms"] == 123.5


def test_one_callers_name_is_not_on_the_next_ones_line(client: Client, log: io.StringIO) -> None:
    client.send("GET", "/v1/items")
    client.send("GET", "/v1/items", user=None)
    assert "owner_hash" in lines(log)[0]
    assert "owner_hash" not in lines(log)[1]


def test_no_line_holds_a_token_a_name_or_what_an_item_says(
    client: Client, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = {"Authorization": "Bearer eyJsecret"}
    made = client.create({"title": "secret-title", "notes": "secret-notes"}, headers=secret)
    path = made.headers["location"]
    for body in ({"title": "secret"}, {"secret": 1}, "{secret"):
        headers = secret | {"If-Match": '"secret"'}
        client.send("PATCH", path, body=body, headers=headers)
        client.send("GET", "/v1/secret", headers=secret)
        client.send("GET", "/v1/items", query={"cursor": ["secret"]}, headers=secret)
    written = log.getvalue() + capsys.readouterr().out
    assert len(lines(log)) == 10
    assert "secret" not in written
    assert ALICE not in written
    assert SUBS[ALICE] not in written


def test_health_checks_write_no_line(client: Client, log: io.StringIO) -> None:
    for path in ("/health", "/health/ready", "/health/takeover"):
        client.send("GET", path, user=None)
    assert log.getvalue() == ""


def test_creates_replays_and_conflicts_are_counted_by_region(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    made = client.create({"title": "a"}, key="k")
    client.create({"title": "a"}, key="k")
    client.send("DELETE", made.headers["location"], headers={"If-Match": '"0"'})
    client.send("GET", "/v1/items")
    counted = metrics(capsys.readouterr().out)
    names = ["ItemCreated", "CreateReplayed", "WriteConflict"]
    assert [[n for n in names if n in one] for one in counted] == [[n] for n in names]
    for name, one in zip(names, counted, strict=True):
        assert (one["region"], one["service"]) == (REGION, "items")
        assert one[name] == [1.0]
        (directive,) = one["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "landing-test"
        assert directive["Metrics"] == [{"Name": name, "Unit": "Count"}]
        assert [sorted(dimensions) for dimensions in directive["Dimensions"]] == [
            ["region", "service"]
        ]


@pytest.mark.parametrize(("status", "counted"), [(409, 1), (412, 1), (404, 0), (410, 0), (428, 0)])
def test_a_conflict_is_counted_and_no_other_refusal(
    client: Client, capsys: pytest.CaptureFixture[str], status: int, counted: int
) -> None:
    def refuse(*_: object) -> None:
        raise Problem(status, "no")

    client.api._items.get = refuse  # type: ignore[attr-defined]
    assert client.send("GET", ITEM).status == status
    assert [one["WriteConflict"] for one in metrics(capsys.readouterr().out)] == [[1.0]] * counted


VERSION = "AWS_LAMBDA_FUNCTION_VERSION"


@pytest.mark.parametrize(("status", "counted"), [(500, 1), (503, 1), (451, 0), (429, 0), (200, 0)])
def test_an_answer_that_is_the_servers_fault_is_counted_by_region_and_version(
    client: Client,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    counted: int,
) -> None:
    def answer(*_: object) -> None:
        raise Problem(status, "no")

    monkeypatch.setenv(VERSION, "7")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "items")
    client.api._items.get = answer  # type: ignore[attr-defined]
    client.send("GET", ITEM)

    found = metrics(capsys.readouterr().out)
    assert [one["ServerErrors"] for one in found] == [[1.0]] * counted
    for one in found:
        assert (one["region"], one["service"], one["version"]) == (REGION, "items", "7")
        (directive,) = one["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "landing-test"
        assert directive["Metrics"] == [{"Name": "ServerErrors", "Unit": "Count"}]
        assert [sorted(names) for names in directive["Dimensions"]] == [
            ["region", "service", "version"]
        ]


def test_a_function_that_is_no_version_counts_as_latest(
    client: Client, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VERSION, raising=False)
    client.api._items.get = None  # type: ignore[attr-defined]
    assert client.send("GET", ITEM).status == 500

    (found,) = metrics(capsys.readouterr().out)
    assert found["version"] == "$LATEST"


def test_a_refusal_of_the_fence_is_no_servers_error_and_the_next_fault_is(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = iter([Refusal("elsewhere"), None])
    client.api._fence.refusal = lambda: next(refused)  # type: ignore[attr-defined]
    client.api._items.create = None  # type: ignore[attr-defined]
    assert [client.create().status for _ in "ab"] == [503, 500]

    found = metrics(capsys.readouterr().out)
    assert [one["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"] for one in found] == [
        "WriteRefused",
        "ServerErrors",
    ]


def test_a_region_that_is_not_ready_is_counted_as_well(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    client.health._probe.ready = lambda: Readiness("read", "timeout")  # type: ignore[attr-defined]
    assert client.send("GET", "/health/ready", user=None).status == 503

    assert [one["ServerErrors"] for one in metrics(capsys.readouterr().out)] == [[1.0]]


@dataclass
class Context:
    """What the runtime says of an invocation."""

    aws_request_id: str = "invocation"


def test_a_line_names_the_invocation_and_the_route(client: Client, log: io.StringIO) -> None:
    client.api.handle(event("GET", "/v1/nowhere"), Context())
    client.api.handle(event("GET", ITEM), None)
    first, second = lines(log)
    assert (first["function_request_id"], first["route"]) == ("invocation", "none")
    assert (second["function_request_id"], second["route"]) == ("", "/v1/items/{id}")


def test_a_fault_is_logged_with_its_kind_its_place_and_its_request(
    client: Client, log: io.StringIO
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("secret")

    client.api._items.get = fail  # type: ignore[attr-defined]
    client.api.handle(event("GET", ITEM), Context())

    fault, line = lines(log)
    assert (fault["level"], fault["message"]) == ("ERROR", "fault")
    assert (fault["route"], fault["exception_name"]) == ("/v1/items/{id}", "KeyError")
    assert "in fail" in fault["stack"][-1]
    assert (fault["request_id"], fault["function_request_id"]) == (REQUEST_ID, "invocation")
    assert fault["owner_hash"] == line["owner_hash"]
    assert (line["status"], line["level"]) == (500, "INFO")


@pytest.mark.parametrize(
    ("error", "message"),
    [(TableUnavailable("Gone"), "table unavailable"), (TableBusy("Gone"), "table busy")],
)
def test_a_table_that_fails_is_logged_as_a_warning_with_its_reason(
    client: Client, log: io.StringIO, error: Exception, message: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    client.api._items.get = fail  # type: ignore[attr-defined]
    client.send("GET", ITEM)

    warning = lines(log)[0]
    assert (warning["level"], warning["message"]) == ("WARNING", message)
    assert warning["reason"] == "Gone"


def test_settings_are_read_from_the_environment() -> None:
    origins = " https://a.example , ,https://b.example"
    settings = Settings.from_environment(ENVIRONMENT | {"ALLOWED_ORIGINS": origins})
    assert settings == Settings(
        "eu-central-1",
        "things",
        "items",
        "landing-local",
        frozenset({"https://a.example", "https://b.example"}),
        frozenset({"phone", "web"}),
        500,
        "eu-west-1",
    )
    assert Settings.from_environment(ENVIRONMENT).allowed_origins == frozenset()


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *((Settings, name) for name in ENVIRONMENT),
        *((FunctionSettings, name) for name in SHARED),
    ],
)
def test_a_missing_setting_is_named(kind: type[FunctionSettings], name: str) -> None:
    without = {one: value for one, value in ENVIRONMENT.items() if one != name}
    for environment in (without, without | {name: ""}):
        with pytest.raises(SettingsError, match=f": {name}$"):
            kind.from_environment(environment)


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment({})
    assert str(raised.value) == (
        "set these variables on the function: AWS_REGION, TABLE_NAME, POWERTOOLS_SERVICE_NAME, "
        "POWERTOOLS_METRICS_NAMESPACE, CLIENT_IDS, MAX_ITEMS_PER_OWNER, STANDBY_REGION"
    )


@pytest.mark.parametrize("most", ["0", "-1", "1.5", "many", "²"])
def test_a_limit_that_is_no_whole_number_from_one_is_refused(most: str) -> None:
    with pytest.raises(SettingsError, match="MAX_ITEMS_PER_OWNER on the function to a whole"):
        Settings.from_environment(ENVIRONMENT | {"MAX_ITEMS_PER_OWNER": most})


def test_a_limit_of_one_item_is_a_limit() -> None:
    settings = Settings.from_environment(ENVIRONMENT | {"MAX_ITEMS_PER_OWNER": "1"})
    assert settings.max_items_per_owner == 1


def test_the_health_function_needs_nothing_that_is_the_users() -> None:
    assert FunctionSettings.from_environment(SHARED) == FunctionSettings(
        "eu-central-1", "things", "items", "landing-local", frozenset()
    )


# The whole function in a process of its own, as the runtime loads it.
# It is called once, or once for each trace header that it is given.
PROGRAM = """
import gc, json, os, sys
from moto import mock_aws
with mock_aws():
    import lambda_function
    from items.table import request_client
    from tests.unit.support import event, make_table
    make_table(request_client(os.environ["AWS_REGION"]))
    raw = event("POST", "/v1/items", body={"title": "secret"}, headers={"Idempotency-Key": "k"})
    for trace in sys.argv[1:] or [os.environ.get("_X_AMZN_TRACE_ID", "")]:
        os.environ["_X_AMZN_TRACE_ID"] = trace
        print("ANSWER", lambda_function.handler(raw, None)["statusCode"])
items, client = lambda_function.api._items, lambda_function.api._items._store._client.meta
print("LIMITS", items._region, items._max, client.config.read_timeout, items._store._name)
print("CLIENT", client.region_name)
print("XRAY", "aws_xray_sdk" in sys.modules)
print("HEAP", gc.isenabled(), gc.get_freeze_count() > 10_000)
"""


def run(
    *traces: str, program: str = PROGRAM, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *traces],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT}:{ROOT / 'lambda'}",
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_REGION": REGION,
            "TABLE_NAME": "items",
            "CLIENT_IDS": CLIENT_ID,
            "MAX_ITEMS_PER_OWNER": "10",
            "STANDBY_REGION": "us-west-2",
            "POWERTOOLS_SERVICE_NAME": "items",
            "POWERTOOLS_METRICS_NAMESPACE": "landing-test",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def xray_daemon() -> Iterator[socket.socket]:
    """Where X-Ray's daemon would listen."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        yield daemon


def traced_by(daemon: socket.socket) -> dict[str, str]:
    """The variables by which Lambda turns tracing on."""
    return {
        "LAMBDA_TASK_ROOT": str(ROOT / "lambda"),
        "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.getsockname()[1]}",
    }


def test_the_function_works_without_a_tracer_where_there_is_none() -> None:
    done = run(_X_AMZN_TRACE_ID=PICKED)
    assert "ANSWER 201" in done.stdout, done.stderr
    assert "XRAY False" in done.stdout
    assert "HEAP True True" in done.stdout
    assert f"LIMITS {REGION} 10 2 items" in done.stdout


def test_the_function_asks_the_table_of_its_own_region() -> None:
    done = run(AWS_REGION="eu-west-3")
    assert "ANSWER 201" in done.stdout, done.stderr
    assert "LIMITS eu-west-3 10 2 items" in done.stdout
    assert "CLIENT eu-west-3" in done.stdout


@pytest.mark.parametrize("disabled", ["1", "true", "True", "YES"])
def test_the_function_loads_no_tracer_where_tracing_is_turned_off(disabled: str) -> None:
    done = run(
        LAMBDA_TASK_ROOT=str(ROOT / "lambda"),
        POWERTOOLS_TRACE_DISABLED=disabled,
        _X_AMZN_TRACE_ID=PICKED,
    )
    assert "ANSWER 201" in done.stdout, done.stderr
    assert "XRAY False" in done.stdout


def test_a_trace_names_the_dynamodb_calls_and_nothing_of_the_item() -> None:
    with xray_daemon() as daemon:
        daemon.settimeout(5)
        done = run(
            **traced_by(daemon),
            _X_AMZN_TRACE_ID="Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
        )
        assert "ANSWER 201" in done.stdout, done.stderr
        packets: list[str] = []
        while not any('"name": "## handler"' in packet for packet in packets):
            packets.append(daemon.recv(65_536).decode())
    sent = [json.loads(packet.partition("\n")[2]) for packet in packets]
    calls = [one["aws"]["operation"] for one in sent if one["name"].lower() == "dynamodb"]
    assert "PutItem" in calls
    handler = next(one for one in sent if one["name"] == "## handler")
    assert handler["annotations"]["route"] == "/v1/items"
    assert handler["annotations"]["outcome"] == "2xx"
    assert "metadata" not in handler
    assert "secret" not in "".join(packets)
    assert ALICE not in "".join(packets)


TRACE_ID = "1-5759e988-bd862e3fe1be46a994272793"
PICKED = f"Root={TRACE_ID};Parent=53995c3f42cd8ad8;Sampled=1"
NOT_PICKED = "Root=1-5759e988-aaaaaaaaaaaaaaaaaaaaaaaa;Sampled=0"


def annotations_of(*traces: str) -> list[dict[str, Any]]:
    """The annotations that these requests to one process leave, in order."""
    picked = sum(trace == PICKED for trace in traces)
    found: list[dict[str, Any]] = []
    with xray_daemon() as daemon:
        daemon.settimeout(5)
        done = run(
            *traces,
            **traced_by(daemon),
        )
        assert done.stdout.count("ANSWER 201") == len(traces), done.stderr
        while len(found) < picked:
            document = json.loads(daemon.recv(65_536).decode().partition("\n")[2])
            if document["name"] == "## handler":
                found.append(document["annotations"])
    return found


@pytest.mark.parametrize(
    ("traces", "cold"),
    [([PICKED, PICKED], [True, False]), ([NOT_PICKED, PICKED], [False])],
    ids=["the first request", "the first that was picked"],
)
def test_only_a_process_first_request_is_a_cold_start(traces: list[str], cold: list[bool]) -> None:
    assert [found["cold_start"] for found in annotations_of(*traces)] == cold


def test_a_line_names_the_trace_and_has_the_fields_that_queries_may_read(
    client: Client, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", PICKED)
    client.send("GET", "/v1/items")
    (line,) = lines(log)
    assert line["xray_trace_id"] == TRACE_ID
    # The others stand in the lines of faults.
    assert log_queries.FUNCTION - line.keys() == {"exception_name", "reason", "stack"}


def test_a_request_that_xray_did_not_pick_sends_nothing_and_loads_no_tracer() -> None:
    with xray_daemon() as daemon:
        daemon.setblocking(False)
        done = run(
            **traced_by(daemon),
            _X_AMZN_TRACE_ID="Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0",
        )
        assert "ANSWER 201" in done.stdout, done.stderr
        assert "XRAY False" in done.stdout
        with pytest.raises(BlockingIOError):
            daemon.recv(65_536)


HEALTH_PROGRAM = """
import gc, os, sys
from moto import mock_aws
with mock_aws():
    import health_function
    from items.table import request_client
    from tests.unit.support import event, make_table
    make_table(request_client(os.environ["AWS_REGION"]))
    for path in ("/health", "/health/ready", "/health/takeover"):
        raw = event("GET", path, user=None)
        print("ANSWER", path, health_function.handler(raw, None)["statusCode"])
probe = health_function.api._probe
print("PROBE", probe._owner, probe._table_name, probe._client.meta.config.read_timeout)
print("CLIENT", probe._client.meta.region_name)
print("USERS", sorted({"items.contract", "items.logic", "aws_xray_sdk"} & sys.modules.keys()))
print("HEAP", gc.isenabled(), gc.get_freeze_count() > 10_000)
"""


def test_the_health_function_serves_health_and_loads_nothing_of_the_users() -> None:
    done = run(program=HEALTH_PROGRAM, CLIENT_IDS="", MAX_ITEMS_PER_OWNER="")
    assert done.stdout.splitlines() == [
        "ANSWER /health 200",
        "ANSWER /health/ready 200",
        "ANSWER /health/takeover 404",
        f"PROBE region#{REGION} items 0.22",
        f"CLIENT {REGION}",
        "USERS []",
        "HEAP True True",
    ], done.stderr


def test_the_health_function_asks_the_table_of_its_own_region() -> None:
    done = run(program=HEALTH_PROGRAM, AWS_REGION="eu-west-3")
    assert "ANSWER /health/ready 200" in done.stdout, done.stderr
    assert "PROBE region#eu-west-3 items 0.22" in done.stdout
    assert "CLIENT eu-west-3" in done.stdout


def test_the_function_says_what_its_environment_lacks() -> None:
    done = run(TABLE_NAME="")
    assert "SettingsError: set these variables on the function: TABLE_NAME" in done.stderr
