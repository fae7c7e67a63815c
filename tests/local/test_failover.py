"""Failover as a client of the public name sees it: checkers, DNS and the edge together."""

from collections.abc import Iterator

import dns.message
import dns.query
import pytest
import requests

from local.dns.resolver import cached_lookup
from project import resolver
from tests.local.global_layer import ORIGIN, GlobalLayer
from tests.support.emulator import DOMAIN, REGIONS, eventually

PRIMARY, STANDBY = REGIONS


@pytest.fixture(scope="module")
def watched(layer: GlobalLayer) -> Iterator[GlobalLayer]:
    """Both Regions are checked, and the origin's records follow their checks."""
    for region in REGIONS:
        layer.health_check(region)
    layer.point_at(*REGIONS)
    yield layer
    checks = dict(layer.checks)
    layer.checks.clear()
    layer.point_at(*REGIONS)
    layer.checks.update(checks)
    layer.remove_checks()


def serving(layer: GlobalLayer) -> str | None:
    """The Region that answers by the public name now; None for an error of the edge."""
    answer = layer.get("/where")
    region: str | None = answer.json()["region"] if answer.status_code == 200 else None
    return region


@pytest.mark.parametrize("kind", ["refuse", "hang", "error", "partition"])
def test_a_broken_region_is_left_and_returned_to_once_it_is_healed(
    watched: GlobalLayer, kind: str
) -> None:
    eventually(lambda: serving(watched) == PRIMARY)
    with watched.fault(PRIMARY, kind):
        eventually(lambda: serving(watched) == STANDBY)
    eventually(lambda: serving(watched) == PRIMARY)


def test_with_both_regions_broken_dns_answers_as_if_they_were_healthy_and_the_edge_says_so(
    watched: GlobalLayer,
) -> None:
    with watched.fault(PRIMARY, "hang"), watched.fault(STANDBY, "hang"):
        eventually(lambda: statuses(watched) == {PRIMARY: False, STANDBY: False})
        assert watched.emulator.status()["edge"][0]["origins"][0]["region"] == PRIMARY
        eventually(lambda: watched.get("/where", method="POST").status_code == 504)
    eventually(lambda: serving(watched) == PRIMARY)


def statuses(layer: GlobalLayer) -> dict[str, bool]:
    """Each Region's health check: healthy or not."""
    healthy = {check["id"]: check["healthy"] for check in layer.emulator.status()["health_checks"]}
    return {region: healthy[check] for region, check in layer.checks.items()}


def test_the_checkers_reports_are_in_the_api_and_in_the_status(watched: GlobalLayer) -> None:
    check = watched.checks[PRIMARY]
    route53 = watched.emulator.client("route53")
    seen = "Success: HTTP Status Code 200, OK"

    def reports() -> set[str]:
        document = route53.get_health_check_status(HealthCheckId=check)
        return {each["StatusReport"]["Status"] for each in document["HealthCheckObservations"]}

    eventually(lambda: reports() == {seen})
    (status,) = [each for each in watched.emulator.status()["health_checks"] if each["id"] == check]
    assert {each["status"] for each in status["checkers"]} == {seen}


def test_any_client_can_follow_by_dns(watched: GlobalLayer) -> None:
    settings = watched.emulator.settings
    query = dns.message.make_query(ORIGIN, "CNAME")
    with watched.fault(PRIMARY, "error"):
        eventually(lambda: statuses(watched)[PRIMARY] is False)
        answer = dns.query.udp(query, "127.0.0.1", port=settings.dns_port, timeout=5)
        assert str(answer.answer[0][0].target) == f"{STANDBY}.{DOMAIN}."

        with resolver.installed(cached_lookup("127.0.0.1", settings.dns_port)):
            followed = requests.get(
                f"https://{ORIGIN}:{settings.https_port}/where",
                verify=str(settings.ca / "ca.pem"),
                timeout=30,
            )
        assert followed.json()["region"] == STANDBY
    eventually(lambda: statuses(watched)[PRIMARY])
