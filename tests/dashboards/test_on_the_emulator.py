"""The command and its pages over CloudWatch's API, as the embedded AWS speaks it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from dashboards.cloudwatch import CloudWatch, of_account
from dashboards.pages import Pages
from project.paths import TREE
from tests.support.accounts import LOCAL
from tests.support.ports import free_ports

REGION = "us-west-2"
NAME = "landing-local-us-west-2"
PREFIX = "landing-local-"
METRICS: list[list[Any]] = [
    ["AWS/ApiGateway", "5XXError", "ApiName", "api", {"id": "bad", "visible": False}],
    [".", "Count", ".", ".", {"id": "all", "visible": False}],
    [{"expression": "100 * (1 - bad / all)", "label": "answered", "id": "share"}],
]
GUIDE = TREE.root / "docs" / "deployment-guide.md"
POLICY = re.compile(r"```json\n(.*?)```", re.DOTALL)


def client(emulator: Mapping[str, str], service: str, **credentials: str) -> Any:
    session: Any = boto3.session.Session()
    return session.client(
        service,
        region_name=REGION,
        endpoint_url=f"http://127.0.0.1:{emulator['LOCAL_AWS_PORT']}",
        **(credentials or _root(emulator)),
    )


def _root(emulator: Mapping[str, str]) -> dict[str, str]:
    return {
        "aws_access_key_id": emulator["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": emulator["AWS_SECRET_ACCESS_KEY"],
    }


def graph(*metrics: list[Any], title: str) -> dict[str, Any]:
    properties = {"title": title, "region": REGION, "period": 60, "stat": "Sum", "metrics": metrics}
    return {"type": "metric", "properties": properties}


@pytest.fixture(scope="module")
def deployed(emulator: Mapping[str, str]) -> Mapping[str, str]:
    """The embedded AWS with a dashboard, its metrics, and three alarms."""
    watch = client(emulator, "cloudwatch")
    for minute in range(2, 20):
        at = datetime.fromtimestamp(time.time() - 60 * minute, UTC)
        watch.put_metric_data(
            Namespace="AWS/ApiGateway",
            MetricData=[
                {
                    "MetricName": name,
                    "Dimensions": [{"Name": "ApiName", "Value": "api"}],
                    "Timestamp": at,
                    "Value": value,
                }
                for name, value in (("Count", 100), ("5XXError", 5))
            ],
        )
    plain = {
        "Namespace": "N",
        "MetricName": "none",
        "Period": 60,
        "Statistic": "Sum",
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 1,
    }
    watch.put_metric_alarm(AlarmName=f"{PREFIX}cause", **plain)
    watch.put_metric_alarm(AlarmName=f"{PREFIX}loud", TreatMissingData="breaching", **plain)
    watch.put_metric_alarm(AlarmName="somebody-elses", **plain)
    watch.put_composite_alarm(
        AlarmName=f"{PREFIX}page",
        AlarmRule=f"ALARM({PREFIX}cause)",
        AlarmActions=[f"arn:aws:sns:{REGION}:000000000000:pages"],
    )
    watch.set_alarm_state(AlarmName=f"{PREFIX}loud", StateValue="ALARM", StateReason="as a test")
    widgets = [
        graph(*METRICS, title="Availability"),
        graph([{"expression": "SEARCH('x', 'Sum', 60)", "id": "s"}], title="Refused"),
    ]
    watch.put_dashboard(DashboardName=NAME, DashboardBody=json.dumps({"widgets": widgets}))
    watch.put_dashboard(DashboardName="somebody-elses", DashboardBody='{"widgets": []}')
    return emulator


@pytest.fixture
def pages(deployed: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Pages:
    """The pages, by credentials that may do what the guide says and no more."""
    return Pages(LOCAL, _by_policy(deployed, monkeypatch, written_policy()))


def written_policy() -> dict[str, Any]:
    """The IAM policy that the guide gives for the dashboards."""
    (text,) = [found for found in POLICY.findall(GUIDE.read_text()) if "GetDashboard" in found]
    policy: dict[str, Any] = json.loads(text)
    return policy


def _by_policy(
    emulator: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, policy: dict[str, Any]
) -> CloudWatch:
    iam = client(emulator, "iam")
    user = f"reader-{time.monotonic_ns()}"
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{emulator['LOCAL_AWS_PORT']}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    return of_account(LOCAL)


def test_what_the_guide_allows_is_enough_for_every_page(pages: Pages) -> None:
    pages.require_deployed()
    alarms, dashboard, data = pages.alarms(), pages.dashboard(NAME, "1h"), pages.data(NAME, "1h")

    order = ["Paging", "<b>page</b>", "Not paging", "<b>loud</b>", "<b>cause</b>"]
    assert sorted(order, key=alarms.index) == order
    assert "from INSUFFICIENT_DATA to ALARM" in alarms
    assert 'class="problem">' not in alarms + dashboard
    assert "somebody-elses" not in alarms + dashboard
    (line,) = data["graphs"][0]["series"]
    assert line["label"] == "answered"
    assert {value for value in line["values"] if value is not None} == {95}
    assert line["values"][0] is None


def test_a_graph_that_cloudwatch_refuses_says_why(pages: Pages) -> None:
    graph = pages.data(NAME, "1h")["graphs"][1]

    assert "SEARCH is not emulated" in graph["problems"][0]
    assert [any(each["values"]) for each in graph["series"]] == [False]


@pytest.mark.parametrize(
    ("action", "page"),
    [
        *(("DescribeAlarms", "alarms"), ("DescribeAlarmHistory", "alarms")),
        *(("GetMetricData", "data"), ("GetDashboard", "data"), ("ListDashboards", "data")),
    ],
)
def test_each_action_of_the_guide_is_needed_and_named_when_it_is_missing(
    deployed: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, action: str, page: str
) -> None:
    policy = written_policy()
    policy["Statement"][0]["Action"].remove(f"cloudwatch:{action}")
    pages = Pages(LOCAL, _by_policy(deployed, monkeypatch, policy))

    assert f"may not call cloudwatch:{action}" in _shown(pages, page)


def _shown(pages: Pages, page: str) -> str:
    try:
        return pages.alarms() if page == "alarms" else json.dumps(pages.data(NAME, "1h"))
    except ClientError as error:
        return pages.explain(error)


def command(environment: Mapping[str, str], **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "toolchain", "dashboards"],
        cwd=TREE.root,
        env={**environment, "ACCOUNT": "local", **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def served(deployed: Mapping[str, str]) -> Iterator[tuple[subprocess.Popen[str], int]]:
    (port,) = free_ports(1)
    running = command(deployed, DASHBOARD_PORT=str(port))
    yield running, port
    # The whole group: the server is a child of the toolchain, and holds its pipes.
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
    running.communicate()


def test_the_command_says_where_it_is_and_ends_by_ctrl_c(
    served: tuple[subprocess.Popen[str], int],
) -> None:
    running, port = served
    assert running.stdout is not None
    assert f"http://127.0.0.1:{port}/ " in running.stdout.readline()
    assert NAME in requests.get(f"http://127.0.0.1:{port}/", timeout=30).text

    # As a terminal does: to make, the toolchain and the server alike.
    os.killpg(running.pid, signal.SIGINT)
    rest, complaints = running.communicate(timeout=30)
    assert (running.returncode, rest.strip(), complaints) == (0, "", "")


def test_a_port_in_use_is_a_sentence(
    deployed: Mapping[str, str], served: tuple[subprocess.Popen[str], int]
) -> None:
    running, port = served
    assert running.stdout is not None
    running.stdout.readline()
    assert "set DASHBOARD_PORT to a free port." in refusal(deployed, DASHBOARD_PORT=str(port))


def test_what_keeps_the_command_from_serving_is_one_sentence(
    emulator: Mapping[str, str], tmp_path: Path
) -> None:
    (nobody,) = free_ports(1)
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}

    other = {"LOCAL_STATE_DIR": str(tmp_path / "other"), "LOCAL_AWS_PORT": str(nobody)}
    assert "make start" in refusal(emulator, **other)
    assert "is no port" in refusal(emulator, DASHBOARD_PORT="http")
    assert "no account 'staging'" in refusal(emulator, ACCOUNT="staging")
    assert "no credentials of account dev here" in refusal(bare, ACCOUNT="dev")


def refusal(environment: Mapping[str, str], **more: str) -> str:
    """The one line that the command ends with, which isn't 0."""
    running = command(environment, **more)
    _, complaints = running.communicate(timeout=60)
    assert running.returncode == 1
    (line,) = complaints.strip().splitlines()
    return line
