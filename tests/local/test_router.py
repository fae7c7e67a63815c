"""Where a request on the HTTPS port goes, and what a distribution makes of it before its origin."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from local import addressing, edge, router, single_write, web_acl
from local.edge import distributions, exchange
from local.faults import Fault, Faults
from local.gateway import endpoints
from local.http_messages import Request, Response
from local.patches import cloudfront, custom_domains
from local.patches.cloudfront import Distribution
from local.patches.custom_domains import Domain
from local.records import EdgeRecord
from local.router import Router
from local.settings import LOOPBACK
from local.waf import Verdict

EAST, WEST = "us-east-1", "us-west-2"
BOTH = "origin.example.com"
DOMAINS = [
    Domain("0", EAST, "us-east-1.example.com"),
    Domain("0", EAST, BOTH),
    Domain("0", WEST, BOTH),
    Domain("0", WEST, "both.example.com"),
]


def distribution(*names: str) -> Distribution:
    arn = "arn:aws:cloudfront::0:distribution/E1"
    return Distribution("E1", arn, "d1.cloudfront.net", names, {})


@dataclass
class Machine:
    """The router between a distribution, two Regions and clients, with a note of who was asked."""

    asked: list[tuple[object, ...]] = field(default_factory=list)
    aborted: int = 0
    faults: Faults = field(default_factory=Faults)

    def ask(
        self, name: str, address: str = LOOPBACK, body: bytes = b""
    ) -> tuple[int | None, list[tuple[object, ...]]]:
        """The status that a client gets, None for an aborted connection; and who was asked."""
        sent: list[dict[str, Any]] = []
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "raw_path": b"/",
            "query_string": b"",
            "headers": [(b"host", name.encode())],
            "server": (address, 443),
            "http_version": "2",
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        self.asked.clear()
        asyncio.run(Router(self.faults, ()).serve(scope, receive, send))
        return (sent[0]["status"] if sent else None), list(self.asked)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()

    async def region_answers(
        _scope: object, _receive: object, region: str | None, domain: Domain | None, _way: object
    ) -> Response:
        made.asked.append(("region", region, domain and domain.region))
        return 200, {}, b""

    async def edge_answers(found: Distribution, request: Request) -> Response:
        made.asked.append(("edge", found.id, request.name, len(request.request_id)))
        return 201, {}, b""

    def abort() -> None:
        made.aborted += 1

    monkeypatch.setattr(
        custom_domains, "registered", lambda name: [each for each in DOMAINS if each.name == name]
    )
    monkeypatch.setattr(custom_domains, "deployed_regions", lambda: frozenset({EAST, WEST}))
    names = ("d1.cloudfront.net", "API.Example.com", "both.example.com", BOTH)
    monkeypatch.setattr(cloudfront, "distributions", lambda: [distribution(*names)])
    monkeypatch.setattr(endpoints, "answer", region_answers)
    monkeypatch.setattr(edge, "answer", edge_answers)
    monkeypatch.setattr(single_write, "abort_connection", abort)
    return made


@pytest.mark.parametrize("name", ["api.example.com", "d1.cloudfront.net", "API.example.com.:8443"])
def test_a_distributions_name_leads_to_the_edge(machine: Machine, name: str) -> None:
    host = name.partition(":")[0].rstrip(".").lower()
    assert machine.ask(name) == (201, [("edge", "E1", host, 36)])


@pytest.mark.parametrize(
    ("name", "address", "region", "domain"),
    [
        ("us-east-1.example.com", LOOPBACK, EAST, EAST),
        # A custom domain of one Region comes before a distribution's alias.
        ("both.example.com", LOOPBACK, WEST, WEST),
        (BOTH, addressing.address(EAST), EAST, EAST),
        (BOTH, addressing.address(WEST), WEST, WEST),
        ("us-east-1.example.com", addressing.address(WEST), WEST, None),
        ("api.example.com", addressing.address(EAST), EAST, None),
        ("nobody.example.com", LOOPBACK, None, None),
    ],
)
def test_a_region_is_found_by_its_name_or_by_its_address(
    machine: Machine, name: str, address: str, region: str | None, domain: str | None
) -> None:
    assert machine.ask(name, address) == (200, [("region", region, domain)])


def test_of_a_name_that_several_regions_have_a_distribution_may_be_meant(machine: Machine) -> None:
    assert machine.ask(BOTH)[0] == 201


@pytest.mark.parametrize("kind", ["refuse", "partition"])
@pytest.mark.parametrize(
    ("name", "address"),
    [("us-east-1.example.com", LOOPBACK), ("nobody.example.com", addressing.address(EAST))],
)
def test_a_region_that_is_shut_ends_the_connection(
    machine: Machine, kind: str, name: str, address: str
) -> None:
    machine.faults.set(EAST, Fault(kind))

    assert machine.ask(name, address) == (None, [])
    assert machine.aborted == 1
    assert machine.ask(BOTH, addressing.address(WEST))[0] == 200
    assert machine.ask("api.example.com")[0] == 201


def test_another_fault_is_the_regions_own_to_answer(machine: Machine) -> None:
    machine.faults.set(EAST, Fault("error"))
    assert machine.ask("us-east-1.example.com") == (200, [("region", EAST, EAST)])


@pytest.mark.parametrize(("size", "status"), [(8, 201), (9, 413)])
def test_the_edge_takes_a_body_of_so_many_bytes(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, size: int, status: int
) -> None:
    assert router.EDGE_PAYLOAD == 64 * 1024 * 1024
    monkeypatch.setattr(router, "EDGE_PAYLOAD", 8)
    assert machine.ask("api.example.com", body=b"x" * size)[0] == status


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[EdgeRecord]:
    """What listeners are told, where the web ACL lets all in and the origin answers."""
    records: list[EdgeRecord] = []
    monkeypatch.setattr(distributions, "listeners", [records.append])
    monkeypatch.setattr(web_acl, "verdict_of", lambda _arn, _request: Verdict(allowed=True))
    monkeypatch.setattr(cloudfront, "web_acl_arn", lambda _distribution: "arn")

    async def viewer_request(_distribution: object, _request: object) -> Response:
        assert exchange.request_id()
        exchange.note_attempt(1.0, status=502)
        exchange.note_attempt(3.0, failure="Connect")
        return 200, {"X-Mine": 1}, b"whole"

    monkeypatch.setattr(cloudfront, "viewer_request", viewer_request)
    return records


def viewer(method: str = "GET", body: bytes = b"") -> Request:
    return Request("a", method, "/", "/", "", {}, body, LOOPBACK, "viewer's")


def answered(request: Request) -> Response:
    return asyncio.run(distributions.answer(distribution("a"), request))


def test_a_record_tells_the_request_its_last_attempt_and_the_answer(
    told: list[EdgeRecord],
) -> None:
    request = viewer()
    assert answered(request)[0] == 200

    (record,) = told
    assert (record.account, record.distribution) == ("0", "E1")
    assert record.distribution_domain == "d1.cloudfront.net"
    assert record.request is request
    assert (record.status, record.headers, record.response_length) == (200, {"x-mine": "1"}, 5)
    assert record.origin is not None
    assert (record.origin.start, record.origin.failure) == (3.0, "Connect")
    assert record.origin.status is None
    assert record.end >= record.origin.end > 1e9


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [("GET", b"x", 403), ("GET", b"", 200), ("POST", b"x", 200), ("HEAD", b"x", 200)],
)
def test_a_get_with_a_body_is_refused_at_the_edge(
    told: list[EdgeRecord], method: str, body: bytes, status: int
) -> None:
    assert answered(viewer(method, body))[0] == status
    assert told[0].status == status
    assert (told[0].origin is None) == (status == 403)


def test_what_the_web_acl_blocks_reaches_no_origin_and_is_told_all_the_same(
    told: list[EdgeRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts = iter(
        [Verdict(allowed=False), Verdict(False, "r", (), 429, {"retry-after": "9"}, b"slow")]
    )
    monkeypatch.setattr(web_acl, "verdict_of", lambda _arn, _request: next(verdicts))

    plain, own = answered(viewer()), answered(viewer())

    assert (plain[0], own[0], own[2]) == (403, 429, b"slow")
    assert own[1]["retry-after"] == "9"
    assert [record.status for record in told] == [403, 429]
    assert [record.origin for record in told] == [None, None]


def test_a_request_has_an_id_while_it_is_answered_and_none_outside() -> None:
    assert exchange.request_id() is None
    with exchange.answering("first") as outer:
        assert exchange.request_id() == "first"
        with exchange.answering("second"):
            exchange.note_attempt(5.0, status=200)
            assert exchange.request_id() == "second"
        assert exchange.request_id() == "first"
        assert outer.origin is None
    assert exchange.request_id() is None
    exchange.note_attempt(5.0)
