"""The pages over a made-up account: what they show and escape, and what they say when broken."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import (
    EndpointConnectionError,
    NoCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)

from dashboards.pages import NotFoundError, Pages
from dashboards.problems import sentence
from project.account import Account
from project.console import ToolchainError
from tests.dashboards.accounts import MARKUP, NAME, FakeCloudWatch, refused
from tests.support.accounts import DEV, LOCAL

GONE = EndpointConnectionError(endpoint_url="https://monitoring.us-west-2.amazonaws.com/")
ESCAPED = "&lt;img src=x onerror=alert(1)&gt;"


def pages(cloudwatch: FakeCloudWatch | None = None) -> Pages:
    return Pages(DEV, cloudwatch or FakeCloudWatch())


def test_a_page_places_every_widget_and_names_what_is_not_drawn() -> None:
    page = pages().dashboard(NAME, "3h")

    assert 'data-area="1 / 1 / span 3 / span 24"' in page
    assert 'data-area="4 / 1 / span 6 / span 12"' in page
    assert 'class="widget not-drawn"' in page
    assert "Not drawn here: log." in page
    assert f'data-source="/dashboards/{NAME}.json?range=3h"' in page


def test_a_graphs_data_is_json_with_a_line_for_each_region() -> None:
    data = json.loads(json.dumps(pages().data(NAME, "1h"), allow_nan=False))

    (graph,) = data["graphs"].values()
    assert list(data["graphs"]) == ["1"]
    assert [each["label"] for each in graph["series"]] == [MARKUP, "line1"]
    assert len(graph["times"]) == len(graph["series"][0]["values"]) == 60
    assert graph["series"][0]["values"][:2] == [1.5, None]
    assert graph["problems"] == []


@pytest.mark.parametrize(
    ("selected", "points"), [("1h", 60), ("3h", 180), ("12h", 720), ("1d", 1440)]
)
def test_a_range_has_a_point_each_period(selected: str, points: int) -> None:
    data = pages().data(NAME, selected)

    assert len(data["graphs"][1]["times"]) == points


def test_a_region_that_is_gone_leaves_the_others_line_and_is_named() -> None:
    graph = pages(FakeCloudWatch(down={"us-west-2": GONE})).data(NAME, "1h")["graphs"][1]

    assert [any(each["values"]) for each in graph["series"]] == [False, True]
    assert len(graph["problems"]) == 1
    assert graph["problems"][0].startswith("us-west-2: CloudWatch can't be reached")


def test_a_dashboard_that_changes_has_another_revision() -> None:
    changed = FakeCloudWatch(bodies={NAME: '{"widgets": []}'})

    assert pages().data(NAME, "1h")["revision"] in pages().dashboard(NAME, "1h")
    assert pages().data(NAME, "1h")["revision"] != pages(changed).data(NAME, "1h")["revision"]


def test_a_body_that_cannot_be_read_is_reported() -> None:
    broken = pages(FakeCloudWatch(bodies={NAME: "[]"}))

    assert "This body is not what CloudWatch documents" in broken.dashboard(NAME, "1h")
    assert broken.data(NAME, "1h")["graphs"] == {}


@pytest.mark.parametrize("ask", ["dashboard", "data"])
def test_a_dashboard_of_another_deployment_is_none(ask: str) -> None:
    with pytest.raises(NotFoundError):
        getattr(pages(), ask)("landing-prod-edge", "1h")


def test_alarms_that_page_come_first_and_the_worst_of_each_kind() -> None:
    page = pages().alarms()

    order = ["Paging", "us-east-1-page", "Not paging", "us-east-1-loud", "us-east-1-quiet"]
    assert sorted(order, key=page.index) == order
    assert "2 of 4 in alarm" in page
    assert "from OK to ALARM" in page
    assert "INSUFFICIENT_DATA to INSUFFICIENT_DATA" not in page


def test_a_region_that_is_gone_is_named_once_beside_the_others_alarms() -> None:
    page = pages(FakeCloudWatch(down={"us-west-2": GONE})).alarms()

    assert page.count("us-west-2: CloudWatch can&#39;t be reached") == 1
    assert "us-east-1-page" in page
    assert "us-west-2-page" not in page


def test_markup_of_an_account_is_text() -> None:
    alarms, dashboard = pages().alarms(), pages().dashboard(NAME, "1h")

    assert f"See {ESCAPED}" in alarms
    assert f"Errors {ESCAPED}" in dashboard
    assert f"Served? {ESCAPED}" in dashboard
    assert "<img" not in alarms + dashboard


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (NoCredentialsError(), "There are no credentials of account dev here: sign in to 1111"),
        (ProfileNotFound(profile="x"), "There are no credentials of account dev"),
        (TokenRetrievalError(provider="sso", error_msg="x"), "sign-in to account dev has expired"),
        (refused("ListDashboards", "ExpiredToken"), "credentials of account dev have expired"),
        (refused("ListDashboards", "InvalidClientTokenId"), "AWS doesn't accept the credentials"),
        (
            refused("GetMetricData", "AccessDenied"),
            "may not call cloudwatch:GetMetricData: docs/deployment-guide.md",
        ),
        (refused("GetMetricData", "Throttling", "Rate exceeded"), "Rate exceeded"),
        (GONE, "CloudWatch can't be reached"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_keeps_cloudwatch_from_answering_is_one_sentence(
    error: Exception, message: str
) -> None:
    with pytest.raises(ToolchainError) as refusal:
        pages(FakeCloudWatch(down={"everywhere": error})).require_deployed()

    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_the_embedded_aws_that_is_not_there_is_started() -> None:
    assert "make start" in sentence(GONE, LOCAL)


@pytest.mark.parametrize(
    ("account", "message"),
    [(LOCAL, "run `make up`"), (DEV, "sign in to 111111111111, or deploy it")],
)
def test_where_nothing_is_deployed_a_person_reads_what_to_do(
    account: Account, message: str
) -> None:
    nothing = Pages(account, FakeCloudWatch(bodies={}))

    with pytest.raises(ToolchainError, match=message):
        nothing.require_deployed()
