"""The edge: the distribution's way to the Region that DNS names, and what it answers."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.local.global_layer import API, KEY, ORIGIN, GlobalLayer
from tests.support.emulator import DOMAIN, REGIONS, eventually

# Seconds, CloudFront's least.
LEAST_KEPT = 1


def event(answer: requests.Response) -> dict[str, Any]:
    """What the Region's function was called with."""
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["event"]
    return found


def test_the_public_name_leads_to_the_region_that_dns_names(layer: GlobalLayer) -> None:
    answer = layer.get("/where")

    assert answer.json()["region"] == REGIONS[0]
    assert "cloudfront.net (CloudFront)" in answer.headers["via"]
    assert answer.headers["x-cache"] == "Miss from cloudfront"


def test_the_distributions_own_name_leads_there_too(layer: GlobalLayer) -> None:
    client = layer.emulator.client("cloudfront")
    own = client.get_distribution(Id=layer.distribution)["Distribution"]["DomainName"]

    answer = layer.emulator.request("localhost", "/where", headers={"Host": own})

    assert answer.json()["region"] == REGIONS[0]


def test_the_region_sees_the_origins_name_and_one_id_that_the_viewer_sees(
    layer: GlobalLayer,
) -> None:
    answer = layer.get("/where", headers={"X-Forwarded-For": "9.9.9.9"})

    headers = event(answer)["headers"]
    assert headers["host"] == ORIGIN
    assert event(answer)["requestContext"]["domainName"] == ORIGIN
    assert headers["x-amz-cf-id"] == answer.headers["x-amz-cf-id"]
    assert headers["x-forwarded-for"] == "9.9.9.9, 127.0.0.1, 127.0.0.1"


def test_a_viewers_own_origin_key_is_overwritten(layer: GlobalLayer) -> None:
    answer = layer.get("/where", headers={"X-Origin-Key": "guessed"})

    assert event(answer)["headers"]["x-origin-key"] == KEY


@pytest.mark.parametrize("name", ["x-origin-key", "X-ORIGIN-KEY", "X-Origin-Key"])
def test_the_key_arrives_once_however_often_a_viewer_sends_his(
    layer: GlobalLayer, name: str
) -> None:
    answer = layer.get("/where", headers={name: f"{KEY}, guessed"})

    seen = event(answer)["multiValueHeaders"]
    assert [values for header, values in seen.items() if header.lower() == "x-origin-key"] == [
        [KEY]
    ]


@pytest.fixture
def own_policy(layer: GlobalLayer) -> Iterator[GlobalLayer]:
    """The distribution sends what a policy of our own says: all but some headers."""
    client = layer.emulator.client("cloudfront")
    dropped = ["host", "x-amzn-requestid", "x-amzn-trace-id"]
    made = client.create_origin_request_policy(
        OriginRequestPolicyConfig={
            "Name": "viewer",
            "HeadersConfig": {
                "HeaderBehavior": "allExcept",
                "Headers": {"Quantity": len(dropped), "Items": dropped},
            },
            "CookiesConfig": {"CookieBehavior": "all"},
            "QueryStringsConfig": {"QueryStringBehavior": "all"},
        }
    )["OriginRequestPolicy"]["Id"]
    with layer.behaviour(OriginRequestPolicyId=made):
        yield layer
    etag = client.get_origin_request_policy(Id=made)["ETag"]
    client.delete_origin_request_policy(Id=made, IfMatch=etag)


CHOSEN = {
    "X-Amzn-RequestId": "9f2c1d34-0000-4000-8000-00000000beef",
    "X-Amzn-Trace-Id": "Root=1-6b0831c6-ccb1310ae3c4fae60a2bbdc9;Sampled=1",
}


def test_a_viewer_chooses_neither_request_id_nor_trace_where_a_policy_drops_them(
    own_policy: GlobalLayer,
) -> None:
    answer = own_policy.get(
        "/where?x=1", headers={**CHOSEN, "X-Mine": "kept", "Cookie": "a=1; b=2"}
    )

    seen = event(answer)
    assert seen["requestContext"]["requestId"] != CHOSEN["X-Amzn-RequestId"]
    assert answer.headers["x-amzn-requestid"] != CHOSEN["X-Amzn-RequestId"]
    assert "6b0831c6" not in json.dumps(seen)
    assert "Sampled=1" not in seen["headers"]["x-amzn-trace-id"]
    assert (seen["headers"]["x-mine"], seen["headers"]["cookie"]) == ("kept", "a=1; b=2")
    assert seen["headers"]["host"] == ORIGIN
    assert seen["queryStringParameters"] == {"x": "1"}


def test_a_viewer_chooses_both_where_no_policy_drops_them(layer: GlobalLayer) -> None:
    answer = layer.get("/where", headers=CHOSEN)

    assert answer.headers["x-amzn-requestid"] == CHOSEN["X-Amzn-RequestId"]
    assert event(answer)["headers"]["x-amzn-trace-id"].startswith("Root=1-6b0831c6-")


def test_method_path_query_and_body_arrive_as_they_were_sent(layer: GlobalLayer) -> None:
    answer = layer.get(
        "/a%20b/%C3%BC?x=1&x=2&empty=&s=%26", method="PATCH", data=b'{"a": "\xc3\xbc"}'
    )

    seen = event(answer)
    assert (seen["httpMethod"], seen["path"]) == ("PATCH", "/a b/ü")
    assert seen["multiValueQueryStringParameters"] == {"x": ["1", "2"], "empty": [""], "s": ["&"]}
    assert json.loads(seen["body"]) == {"a": "ü"}


def test_a_get_with_a_body_stays_at_the_edge(layer: GlobalLayer) -> None:
    refused = layer.get("/where", data="x")

    assert refused.status_code == 403
    assert refused.headers["x-cache"] == "Error from cloudfront"
    assert "x-served-by" not in refused.headers
    assert layer.get("/where", method="DELETE", data="x").status_code == 200
    assert layer.at(REGIONS[0], ORIGIN, "/where", data="x").status_code == 200


@pytest.mark.parametrize("status", [404, 412, 500, 503])
def test_an_error_of_the_api_passes_through_as_it_is(layer: GlobalLayer, status: int) -> None:
    answer = layer.get(f"/where?status={status}")

    assert answer.status_code == status
    assert answer.json()["region"] == REGIONS[0]


def test_a_method_that_the_distribution_does_not_allow_stays_at_the_edge(
    layer: GlobalLayer,
) -> None:
    answer = layer.get("/where", method="TRACE")

    assert answer.status_code == 403
    assert answer.headers["x-cache"] == "Error from cloudfront"


@pytest.mark.parametrize("region", REGIONS)
def test_the_origins_name_leads_to_whichever_region_it_is_asked_at(
    layer: GlobalLayer, region: str
) -> None:
    assert layer.at(region, ORIGIN, "/where").json()["region"] == region


def test_a_region_does_not_answer_for_another(layer: GlobalLayer) -> None:
    assert layer.at(REGIONS[0], f"{REGIONS[1]}.{DOMAIN}").status_code == 403
    assert layer.at(REGIONS[0], API).status_code == 403


def test_the_edge_asks_dns_again_once_the_answer_is_too_old(layer: GlobalLayer) -> None:
    with layer.origin(CustomOriginConfig={"OriginKeepaliveTimeout": LEAST_KEPT}):
        layer.point_at(*reversed(REGIONS))
        try:
            eventually(lambda: layer.get("/where").json()["region"] == REGIONS[1])
        finally:
            layer.point_at(*REGIONS)
        eventually(lambda: layer.get("/where").json()["region"] == REGIONS[0])


def test_an_origin_that_refuses_is_a_bad_gateway(layer: GlobalLayer) -> None:
    with layer.fault(REGIONS[0], "refuse"):
        answer = layer.get("/where")

    assert answer.status_code == 502
    assert answer.headers["x-cache"] == "Error from cloudfront"
    assert "could not be satisfied" in answer.text


def test_an_origin_that_never_answers_is_a_gateway_timeout(layer: GlobalLayer) -> None:
    with layer.fault(REGIONS[0], "hang"):
        answer = layer.get("/where", method="POST")

    assert answer.status_code == 504


def test_an_origin_without_a_name_is_a_bad_gateway(layer: GlobalLayer) -> None:
    with layer.origin(DomainName=f"nowhere.{DOMAIN}"):
        assert layer.get("/where").status_code == 502


def test_requests_that_wait_for_a_region_hold_no_others_up(layer: GlobalLayer) -> None:
    with (
        layer.origin(CustomOriginConfig={"OriginReadTimeout": 60}),
        ThreadPoolExecutor(70) as pool,
        layer.fault(REGIONS[0], "hang"),
    ):
        waiting = [pool.submit(layer.get, "/where", method="POST") for _ in range(70)]
        answers = [layer.stack.get(REGIONS[1], "/where") for _ in range(3)]
        assert not any(each.done() for each in waiting)

    assert {answer.status_code for answer in answers} == {200}
    assert {each.result().status_code for each in waiting} == {502}
