"""It can't hurt anyone: loopback alone, nothing of a person's own account, no web page's toy."""

import json
import stat
from ipaddress import ip_address

import psutil
import pytest
import requests

from local import settings
from tests.local.bench import Bench, Stack
from tests.local.conftest import POISON


def _pid(bench: Bench) -> int:
    pid: int = bench.status()["pid"]
    return pid


def test_every_listener_of_the_process_and_its_functions_is_on_loopback(stack: Stack) -> None:
    worker: int = stack.get("us-east-1", "/where").json()["pid"]
    mine, functions = (_listeners(pid) for pid in (_pid(stack.bench), worker))

    assert all(ip_address(address).is_loopback for address, _ in mine | functions)
    chosen = stack.bench.settings
    assert {port for _, port in mine} == {chosen.aws_port, chosen.https_port, chosen.dns_port}


def _listeners(pid: int) -> set[tuple[str, int]]:
    found = psutil.Process(pid).net_connections("tcp")
    return {each.laddr for each in found if each.status == psutil.CONN_LISTEN}


def test_real_credentials_reach_neither_the_process_nor_its_functions(stack: Stack) -> None:
    process_has = json.dumps(psutil.Process(_pid(stack.bench)).environ())
    function_has = json.dumps(stack.get("us-west-2", "/where").json()["environment"])

    for name, value in POISON.items():
        if name != "AWS_REGION":
            assert value not in process_has, name
            assert value not in function_has, name


def test_a_function_calls_the_embedded_aws_and_reads_no_profile(stack: Stack) -> None:
    environment = stack.get("us-west-2", "/where").json()["environment"]

    assert environment["AWS_ENDPOINT_URL"] == stack.bench.settings.endpoint
    assert environment["AWS_CONFIG_FILE"] == "/dev/null"
    assert environment["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert "PYTHONPATH" not in environment


def test_keys_are_for_their_owner_alone(bench: Bench) -> None:
    chosen = bench.settings

    assert stat.S_IMODE((chosen.ca / "ca.key").stat().st_mode) == 0o600
    for folder in (chosen.ca, chosen.state, chosen.logs):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_bundle_holds_the_systems_roots_and_the_authority(bench: Bench) -> None:
    bundle = (bench.settings.ca / "bundle.pem").read_bytes()

    assert (bench.settings.ca / "ca.pem").read_bytes() in bundle
    assert bundle.count(b"BEGIN CERTIFICATE") > 50


@pytest.mark.parametrize("path", ["/_local/status", "/_local/replication", "/_local/faults"])
def test_a_web_page_can_not_steer_the_bench(bench: Bench, path: str) -> None:
    answer = requests.post(f"{bench.settings.endpoint}{path}", data="{}", timeout=5)

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "sent_by_a_browser",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "rebound.evil.example"},
    ],
)
@pytest.mark.parametrize("path", ["/_ministack/reset", "/2015-03-31/functions"])
def test_a_web_page_can_neither_reset_the_bench_nor_run_code_on_it(
    stack: Stack, path: str, sent_by_a_browser: dict[str, str]
) -> None:
    signature = (
        "AWS4-HMAC-SHA256 Credential=000000000000/20260101/us-east-1/lambda/aws4_request, "
        "SignedHeaders=host, Signature=00"
    )

    answer = requests.post(
        stack.bench.settings.endpoint + path,
        headers={**sent_by_a_browser, "Authorization": signature},
        data="{}",
        timeout=5,
    )

    assert answer.status_code == 403
    assert stack.bench.client("dynamodb").list_tables()["TableNames"]


@pytest.mark.parametrize(
    ("variable", "text"),
    [("LOCAL_AWS_PORT", "http"), ("LOCAL_HTTPS_PORT", "0"), ("LOCAL_REPLICATION_LAG", "-1")],
)
def test_a_setting_that_makes_no_sense_is_named(variable: str, text: str) -> None:
    with pytest.raises(settings.SettingsError, match=f"{variable}={text}"):
        settings.read({variable: text})


def test_two_ports_that_are_one_are_named() -> None:
    with pytest.raises(settings.SettingsError, match="LOCAL_DNS_PORT"):
        settings.read({"LOCAL_AWS_PORT": "8053"})
