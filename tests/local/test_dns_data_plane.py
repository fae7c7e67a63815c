"""The data plane over ministack's own state: zone, health check, endpoint, API, metric."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable
from pathlib import Path

import dns.asyncquery
import dns.message
import pytest
import trustme
from ministack.services import cloudwatch, route53

from local.addressing import address, address_of_aws_name
from local.dns.data_plane import DataPlane, Setup
from tests.support.ports import free_ports

NS = "https://route53.amazonaws.com/doc/2013-04-01/"
NAME = "us-east-1.landing.localhost"
ADDRESS = address("us-east-1")

pytestmark = pytest.mark.usefixtures("empty_route53")


async def call(method: str, path: str, document: str = "") -> tuple[int, str]:
    status, _, body = await route53.handle_request(
        method, "/2013-04-01" + path, {}, document.encode(), {}
    )
    return int(status), str(body.decode())


async def deploy() -> str:
    """Make a zone with a Region's name and a health check of it; return the check's id."""
    await call(
        "POST",
        "/hostedzone",
        f'<CreateHostedZoneRequest xmlns="{NS}"><Name>landing.localhost</Name>'
        "<CallerReference>1</CallerReference></CreateHostedZoneRequest>",
    )
    (zone_id,) = route53._zones
    await call(
        "POST",
        f"/hostedzone/{zone_id}/rrset",
        f'<ChangeResourceRecordSetsRequest xmlns="{NS}"><ChangeBatch><Changes><Change>'
        f"<Action>CREATE</Action><ResourceRecordSet><Name>{NAME}</Name><Type>A</Type><AliasTarget>"
        "<HostedZoneId>Z1</HostedZoneId><DNSName>d-1.execute-api.us-east-1.amazonaws.com</DNSName>"
        "<EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget></ResourceRecordSet>"
        "</Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>",
    )
    await call(
        "POST",
        "/healthcheck",
        f'<CreateHealthCheckRequest xmlns="{NS}"><CallerReference>1</CallerReference>'
        f"<HealthCheckConfig><Type>HTTPS</Type><FullyQualifiedDomainName>{NAME}"
        "</FullyQualifiedDomainName><ResourcePath>/health/ready</ResourcePath>"
        "<RequestInterval>10</RequestInterval></HealthCheckConfig></CreateHealthCheckRequest>",
    )
    (check_id,) = route53._health_checks
    return str(check_id)


def plane_of(memory: Path, ports: dict[int, int] | None = None) -> DataPlane:
    (dns_port,) = free_ports(1)
    return DataPlane(Setup(dns_port, ports or {}, memory, address_of_aws_name))


async def region(code: int) -> asyncio.Server:
    """Open a Region's endpoint that answers every request with one code."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % code)
        await writer.drain()
        writer.close()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert(NAME).configure_cert(context)
    return await asyncio.start_server(serve, ADDRESS, 0, ssl=context)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the checkers ring no bell
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("code", "status"), [(200, "Success: HTTP Status Code 200"), (503, "Failure: HTTP Status Code")]
)
def test_a_check_asks_the_endpoint_behind_the_name_and_the_api_reports_it(
    tmp_path: Path, code: int, status: str
) -> None:
    async def story() -> None:
        check_id = await deploy()
        opened = await region(code)
        port = opened.sockets[0].getsockname()[1]
        plane = plane_of(tmp_path / "verdicts.json", {443: port})
        await plane.start()
        try:
            await until(lambda: plane.checkers.observations(check_id))
            answer = await call("GET", f"/healthcheck/{check_id}/status")
            assert answer[0] == 200
            assert status in answer[1]
            assert (await call("GET", f"/healthcheck/{check_id}"))[0] == 200
        finally:
            await plane.stop()
            opened.close()
        stored = {key[2][1] for key in cloudwatch._metrics._data}
        assert stored == {"HealthCheckStatus", "HealthCheckPercentageHealthy"}

    asyncio.run(story())


def test_a_name_without_an_address_fails_its_check(tmp_path: Path) -> None:
    async def story() -> None:
        check_id = await deploy()
        route53._zones.clear()
        plane = plane_of(tmp_path / "verdicts.json")
        await plane.start()
        try:
            await until(lambda: plane.checkers.observations(check_id))
            (seen,) = plane.checkers.observations(check_id)
            assert seen.status == "Failure: DNS resolution failed: DNS response error code REFUSED."
        finally:
            await plane.stop()

    asyncio.run(story())


def test_the_dns_server_answers_from_the_zones_as_they_are_now(tmp_path: Path) -> None:
    async def story() -> None:
        plane = plane_of(tmp_path / "verdicts.json")
        await plane.start()
        try:
            where, port = plane.setup.host, plane.setup.dns_port
            query = dns.message.make_query(NAME, "A")
            before = await dns.asyncquery.udp(query, where, port=port, timeout=5)
            assert not before.answer
            await deploy()
            after = await dns.asyncquery.udp(query, where, port=port, timeout=5)
            assert [record.to_text() for record in after.answer[0]] == [ADDRESS]
        finally:
            await plane.stop()

    asyncio.run(story())


def test_verdicts_are_kept_over_a_restart_and_damage_is_survived(tmp_path: Path) -> None:
    memory = tmp_path / "deep" / "verdicts.json"

    async def life() -> bool:
        check_id = await deploy()
        plane = plane_of(memory)
        await plane.start()
        healthy = plane.checkers.is_healthy(check_id)
        await plane.stop()
        return healthy

    assert asyncio.run(life())
    kept = json.loads(memory.read_text())
    assert list(kept.values()) == [True]
    memory.write_text(json.dumps(dict.fromkeys(kept, False)))
    assert not asyncio.run(life())
    for damage in ("{", "5"):
        memory.write_text(damage)
        assert asyncio.run(life())


def test_a_check_that_an_older_state_holds_and_is_not_emulated_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        check_id = await deploy()
        route53._health_checks[check_id]["config"]["Type"] = "TCP"
        plane = plane_of(tmp_path / "verdicts.json")
        await plane.start()
        plane.checkers.refresh()
        await plane.stop()
        assert plane.checkers.statuses() == ()
        expected = f"not emulated: health checks of type TCP ({check_id})"
        assert caplog.messages.count(expected) == 1

    asyncio.run(story())


def test_stopping_takes_the_api_down_again(tmp_path: Path) -> None:
    async def story() -> None:
        plain = route53.handle_request
        plane = plane_of(tmp_path / "verdicts.json")
        await plane.start()
        assert route53.handle_request is not plain
        await plane.stop()
        assert route53.handle_request is plain

    asyncio.run(story())
