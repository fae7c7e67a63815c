"""Nothing that runs for the embedded AWS asks anything but this machine, whatever a shell holds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.settings import SERVICES
from project import sign_in
from project.environment import past_proxies, process_environment
from project.paths import TREE, Tree
from tests.live.sts import Listener, listening
from tests.support.accounts import DEV, LOCAL
from tests.support.sdk import LOOKUPS, endpoint_variables, hostile_variables, other_variables
from toolchain import cli, up

if TYPE_CHECKING:
    from collections.abc import Iterator

ELSEWHERE = "http://elsewhere.example:1"
CONFIG = f"""
[default]
region = eu-west-1
services = elsewhere
endpoint_url = {ELSEWHERE}
[services elsewhere]
sts =
  endpoint_url = {ELSEWHERE}
dynamodb =
  endpoint_url = {ELSEWHERE}
"""
# How each shell takes what `make env` prints; the machine needn't have them all.
TAKES = {
    "bash": 'eval "$(make -s env)"',
    "zsh": 'eval "$(make -s env)"',
    "fish": "make -s env SHELL_KIND=fish | source",
}
# Asks each service that it is given for something that needs no parameters.
ASK = """
import sys
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
for service in sys.argv[1:]:
    client = boto3.Session().client(service, config=Config(retries={"total_max_attempts": 1}))
    model = client.meta.service_model
    shapes = {name: model.operation_model(name).input_shape for name in model.operation_names}
    name = next(n for n, shape in shapes.items() if not (shape and shape.required_members))
    method = {api: python for python, api in client.meta.method_to_api_mapping.items()}[name]
    try:
        getattr(client, method)()
    except (ClientError, ResponseParserError):
        pass
"""


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[Listener]:
    with listening(LOCAL.account_id, tmp_path / "state") as listener:
        yield listener


@pytest.fixture
def hostile(tmp_path: Path, aws: Listener) -> dict[str, str]:
    """The shell of somebody who works with real accounts in every way that there is."""
    config = tmp_path / "config"
    config.write_text(CONFIG)
    return hostile_variables(
        ELSEWHERE,
        AWS_PROFILE="default",
        AWS_CONFIG_FILE=str(config),
        PATH=os.environ["PATH"],
        # A shell reads paths by it.
        LANG="C.UTF-8",
        HOME=str(tmp_path),
        LOCAL_AWS_PORT=str(aws.port),
        LOCAL_STATE_DIR=str(tmp_path / "state"),
        LOOKUPS=str(tmp_path / "lookups"),
        PYTHONPATH=str(LOOKUPS),
        MAKEFLAGS="",
    )


def looked_up(hostile: dict[str, str]) -> set[str]:
    notes = Path(hostile["LOOKUPS"])
    return set(notes.read_text().split()) if notes.exists() else set()


def test_the_sdk_has_variables_enough_for_this_to_mean_something() -> None:
    assert {"AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"} <= set(
        endpoint_variables()
    )
    assert {
        "AWS_CA_BUNDLE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_DEFAULTS_MODE",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "AWS_PROFILE",
        "AWS_ROLE_ARN",
        "AWS_USE_FIPS_ENDPOINT",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "BOTO_CONFIG",
    } <= set(other_variables())


def test_a_tool_that_is_run_from_here_asks_this_machine_alone(
    hostile: dict[str, str], aws: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_AWS_PORT", str(aws.port))
    given = process_environment(TREE, LOCAL, hostile)
    services = SERVICES.replace("monitoring", "cloudwatch").split(",")

    subprocess.run([sys.executable, "-c", ASK, *services], env=given, check=True)

    assert looked_up(hostile) == {"127.0.0.1"}
    assert len(aws.calls) == len(services)
    assert {call.key_id for call in aws.calls} <= {LOCAL.account_id, ""}
    assert ELSEWHERE not in {
        value for name, value in given.items() if not name.lower().endswith("_proxy")
    }


@pytest.mark.parametrize("shell", [shell for shell in TAKES if shutil.which(shell)])
def test_a_shell_asks_this_machine_alone(
    hostile: dict[str, str], aws: Listener, shell: str
) -> None:
    script = f"{TAKES[shell]}; aws sts get-caller-identity; aws dynamodb list-tables; env"
    done = subprocess.run(
        [shell, "-c", script],
        cwd=TREE.root,
        env=hostile,
        capture_output=True,
        text=True,
        check=False,
    )

    assert f'"Account": "{LOCAL.account_id}"' in done.stdout, done.stderr
    assert looked_up(hostile) == {"127.0.0.1"}
    assert aws.services() == {"sts", "dynamodb"}
    kept = dict(line.split("=", 1) for line in done.stdout.splitlines() if line[:4] == "AWS_")
    assert ELSEWHERE not in kept.values()


def test_what_runs_in_the_toolchain_itself_is_led_there_too(
    hostile: dict[str, str], aws: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[dict[str, str]] = []
    monkeypatch.setattr(sign_in, "main", lambda *_: given.append(dict(os.environ)))
    for name, value in hostile.items():
        monkeypatch.setenv(name, value)

    # What it leaves in this process is put back with the rest.
    with monkeypatch.context() as patch:
        patch.setattr(os, "environ", os.environ.copy())
        assert cli.main(["sign-in"]) == 0

    assert not set(endpoint_variables()) & set(given[0])
    assert given[0]["AWS_ENDPOINT_URL"] == aws.url
    assert "AWS_PROFILE" not in given[0]


def test_this_machines_names_are_asked_of_no_proxy_in_either_spelling() -> None:
    ours = "localhost,127.0.0.1,.localhost"
    assert past_proxies({}) == {"NO_PROXY": ours, "no_proxy": ours}
    given = past_proxies({"NO_PROXY": "intra.example, localhost"})
    assert given == dict.fromkeys(given, "intra.example,localhost,127.0.0.1,.localhost")
    assert past_proxies(given) == given
    assert past_proxies({"no_proxy": "a", "NO_PROXY": "b"}) == {
        "NO_PROXY": f"b,{ours}",
        "no_proxy": f"a,{ours}",
    }
    assert past_proxies({"no_proxy": "*"}) == {"NO_PROXY": "*", "no_proxy": "*"}


def test_a_real_account_keeps_its_settings_and_its_proxy(hostile: dict[str, str]) -> None:
    given = process_environment(TREE, DEV, hostile)
    assert {name: given[name] for name in endpoint_variables()} == dict.fromkeys(
        endpoint_variables(), ELSEWHERE
    )
    assert given["NO_PROXY"] == ""


def test_our_own_curl_asks_no_proxy(
    aws: Listener, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with listening("987654321098") as proxy:
        for name in ("http_proxy", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("HOME", str(tmp_path))
        (tmp_path / ".curlrc").write_text(f"proxy = {proxy.url}\n")
        complaint = up._complaint(Tree(tmp_path), f"http://api.landing.localhost:{aws.port}/health")

    assert "400" in complaint
    assert proxy.calls == []
    assert [call.target for call in aws.calls] == ["/health"]
