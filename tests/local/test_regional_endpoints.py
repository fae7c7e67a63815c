"""The Regional endpoints: who answers, and how faithfully."""

import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from project import resolver
from tests.support.emulator import DOMAIN, REGIONS, Stack


@pytest.mark.parametrize("region", REGIONS)
def test_a_regions_name_reaches_the_api_of_that_region(stack: Stack, region: str) -> None:
    answer = stack.get(region, "/where")

    assert answer.status_code == 200
    assert answer.json()["region"] == region


@pytest.mark.parametrize("name", ["nobody.localhost", f"eu-west-1.{DOMAIN}", "localhost"])
def test_a_name_that_is_nobodys_is_forbidden(stack: Stack, name: str) -> None:
    answer = stack.emulator.request(name, "/where")

    assert answer.status_code == 403
    assert answer.json() == {"message": "Forbidden"}
    assert answer.headers["x-amzn-requestid"]


def test_a_name_of_several_regions_is_not_a_regional_endpoint(stack: Stack) -> None:
    assert stack.emulator.request(f"origin.{DOMAIN}", "/where").status_code == 403


def test_path_query_and_headers_arrive_as_they_were_sent(stack: Stack) -> None:
    answer = stack.get(
        "us-east-1", "/a%20b/c?x=1&x=2&empty=&s=%C3%BC%26", headers={"X-Mine": "yes"}
    )

    event = answer.json()["event"]
    assert event["path"] == "/a b/c"
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"], "empty": [""], "s": ["ü&"]}
    assert event["headers"]["x-mine"] == "yes"


def test_the_event_tells_the_domain_the_peer_and_the_request_id_of_the_answer(
    stack: Stack,
) -> None:
    answer = stack.get("us-west-2", "/where", headers={"X-Forwarded-For": "9.9.9.9"})

    context = answer.json()["event"]["requestContext"]
    assert context["domainName"] == f"us-west-2.{DOMAIN}"
    assert context["domainPrefix"] == "us-west-2"
    assert context["path"] == "/where"
    assert context["identity"]["sourceIp"] == "127.0.0.1"
    assert context["requestId"] == answer.headers["x-amzn-requestid"]
    assert answer.json()["event"]["headers"]["x-forwarded-for"] == "9.9.9.9, 127.0.0.1"


def test_a_gateway_response_bears_the_request_id_of_the_answer(stack: Stack) -> None:
    gateway = stack.emulator.client("apigateway")
    gateway.put_gateway_response(
        restApiId=stack.apis["us-east-1"],
        responseType="MISSING_AUTHENTICATION_TOKEN",
        statusCode="404",
        responseTemplates={"application/json": '{"id":"$context.requestId"}'},
    )
    resources = gateway.get_resources(restApiId=stack.apis["us-east-1"])["items"]
    root = next(r["id"] for r in resources if r["path"] == "/")
    signed = gateway.create_resource(
        restApiId=stack.apis["us-east-1"], parentId=root, pathPart="signed"
    )["id"]
    address = {
        "restApiId": stack.apis["us-east-1"],
        "resourceId": signed,
        "httpMethod": "GET",
    }
    gateway.put_method(**address, authorizationType="AWS_IAM")
    gateway.put_integration(**address, type="MOCK")
    gateway.create_deployment(restApiId=stack.apis["us-east-1"], stageName="live")

    answer = stack.get("us-east-1", "/signed")

    assert answer.status_code == 404
    assert answer.json() == {"id": answer.headers["x-amzn-requestid"]}


CHOSEN = "9f2c1d34-0000-4000-8000-00000000beef"


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        (CHOSEN, True),
        (CHOSEN.upper(), True),
        ("mine", False),
        (f"{CHOSEN}, {CHOSEN}", False),
        (f'{CHOSEN}"', False),
    ],
)
def test_a_client_may_choose_the_request_id_but_not_the_extended_one(
    stack: Stack, sent: str, taken: bool
) -> None:
    headers = {"x-amzn-requestid": sent, "x-amz-apigw-id": sent}

    answers = [stack.get("us-east-1", "/where", headers=headers) for _ in range(2)]

    for answer in answers:
        context = answer.json()["event"]["requestContext"]
        assert (answer.headers["x-amzn-requestid"] == sent) is taken
        assert context["requestId"] == answer.headers["x-amzn-requestid"]
        assert context["extendedRequestId"] == answer.headers["x-amz-apigw-id"]
    assert len({answer.headers["x-amz-apigw-id"] for answer in answers} | {sent}) == 3


def test_a_body_up_to_the_payload_limit_arrives_whole(stack: Stack) -> None:
    body = "x" * (1024 * 1024)

    answer = stack.get("us-east-1", "/where", method="POST", data=body)

    assert answer.json()["event"]["body"] == body


def test_a_body_over_the_payload_limit_is_too_large(stack: Stack) -> None:
    """The gateway's limit of 10 MB, where no function's limit of 6 MB comes before it."""
    with a_mock(stack, "heavy"):
        fits, refused = (
            stack.get("us-east-1", "/heavy", method="POST", data=b"x" * size, headers=JSON)
            for size in (10 * 1024 * 1024, 10 * 1024 * 1024 + 1)
        )

    assert (fits.status_code, refused.status_code) == (200, 413)
    assert refused.json() == {"message": "Request Too Long"}


JSON = {"content-type": "application/json"}


@contextmanager
def a_mock(stack: Stack, part: str) -> Iterator[None]:
    """A resource of the first Region's API whose POST the gateway itself answers with 200."""
    client, api = stack.emulator.client("apigateway"), stack.apis["us-east-1"]
    resources = client.get_resources(restApiId=api)["items"]
    root = next(each["id"] for each in resources if each["path"] == "/")
    made = client.create_resource(restApiId=api, parentId=root, pathPart=part)["id"]
    address = {"restApiId": api, "resourceId": made, "httpMethod": "POST"}
    client.put_method(**address, authorizationType="NONE")
    client.put_integration(
        **address, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
    )
    client.put_method_response(**address, statusCode="200")
    client.put_integration_response(**address, statusCode="200")
    client.create_deployment(restApiId=api, stageName="live")
    try:
        yield
    finally:
        client.delete_resource(restApiId=api, resourceId=made)
        client.create_deployment(restApiId=api, stageName="live")


def test_slow_requests_are_served_side_by_side_in_both_regions(stack: Stack) -> None:
    def serve(number: int) -> tuple[int, int]:
        answer = stack.get(REGIONS[number % 2], "/slow")
        return answer.status_code, answer.json()["pid"]

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(serve, range(20)))

    assert {status for status, _ in answers} == {200}
    assert len({worker for _, worker in answers}) > len(REGIONS)


@pytest.mark.parametrize(("offered", "spoken"), [(["h2"], "h2"), (["http/1.1"], "http/1.1")])
def test_the_endpoint_speaks_both_http_versions(
    stack: Stack, offered: list[str], spoken: str
) -> None:
    name, settings = f"us-east-1.{DOMAIN}", stack.emulator.settings
    context = ssl.create_default_context(cafile=str(settings.ca / "ca.pem"))
    context.set_alpn_protocols(offered)

    with (
        socket.create_connection(("127.0.0.1", settings.https_port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        assert secure.selected_alpn_protocol() == spoken


def test_no_certificate_is_made_for_a_name_that_is_not_this_machines(stack: Stack) -> None:
    settings = stack.emulator.settings
    context = ssl.create_default_context(cafile=str(settings.ca / "ca.pem"))
    # A client that takes any certificate: the server alone may refuse.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    with (
        socket.create_connection(("127.0.0.1", settings.https_port), timeout=10) as plain,
        pytest.raises(ssl.SSLError),
    ):
        context.wrap_socket(plain, server_hostname="www.example.com")


def test_the_resolver_knows_names_under_localhost_alone() -> None:
    with resolver.installed():
        found = socket.getaddrinfo("a.b.localhost", 443, socket.AF_INET, socket.SOCK_STREAM)

    assert found[0][4] == ("127.0.0.1", 443)
    assert resolver.localhost("example.com") is None
    assert resolver.localhost("notlocalhost") is None


def test_the_stack_is_what_status_shows(stack: Stack) -> None:
    expected = {region: f"{region}.{DOMAIN}" for region in REGIONS}

    assert stack.emulator.status()["regions"] == expected
