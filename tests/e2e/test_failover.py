"""Users move to the standby when the primary fails or an operator says so, and come back."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import requests

from drills import watchers
from drills.hand_over import HandOver
from drills.switch import Switch
from project.paths import TREE
from tests.support.api import Api, SignedIn, Target
from tests.support.traffic import Attempt, Traffic
from tests.support.waiting import REPLICATION_DEADLINE, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from project.deployment import Deployment
    from tests.e2e.account_operator import Operator
    from tests.support.users import Person, Pool

pytestmark = [
    pytest.mark.alone,
    pytest.mark.emulated_only("it breaks Regions: on an account, that is a drill"),
]

# The plainest, and the one that no drill has. A partition is a drill in tests/drills; a Region that
# hangs, errs or loses its table, and both Regions lost, are `make drill-all`'s.
BREAKING = ("refuse", "slow")
SLOWER_THAN_A_CHECKER_WAITS = 5_000
READ_TIMEOUT_OF_THE_EDGE = 15.0


@pytest.fixture
def limit(deployment: Deployment, operator: Operator) -> float:
    """Seconds in which users must have moved: 1.15 x (interval x threshold + TTL)."""
    route53 = operator.route53()
    zone = route53.list_hosted_zones_by_name(DNSName=deployment.domain_name)["HostedZones"][0]
    records = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    ttl = next(one["TTL"] for one in records if one["Name"].startswith("origin."))
    # Not the canary, which asks the public name, and more seldom.
    watched = f"{deployment.primary.region}.{deployment.domain_name}"
    check = next(
        config
        for one in route53.list_health_checks()["HealthChecks"]
        if (config := one["HealthCheckConfig"]).get("FullyQualifiedDomainName") == watched
    )
    return 1.15 * (check["RequestInterval"] * check["FailureThreshold"] + ttl)


@pytest.fixture
def user(deployment: Deployment, http: requests.Session, pool: Pool, person: Person) -> SignedIn:
    """Somebody signed in, at the public name, whichever Region serves it."""
    api = Api(Target("public", deployment.api_url), http, set())
    return SignedIn(api, person, pool.sign_in(person))


@pytest.fixture
def traffic(deployment: Deployment, http: requests.Session, user: SignedIn) -> Iterator[Traffic]:
    """The user's reads and writes, once the primary serves them."""
    verify = http.verify
    assert isinstance(verify, (bool, str))
    with Traffic(deployment.api_url, verify, user.tokens.access).flowing() as flowing:
        flowing.await_service(deployment.primary.region, time.monotonic(), within=120)
        yield flowing


def local(*arguments: str) -> None:
    """Run a command of the emulator."""
    subprocess.run([sys.executable, "-m", "local", *arguments], cwd=TREE.root, check=True)


@contextmanager
def broken(region: str, kind: str) -> Iterator[None]:
    """Break a Region for as long as the body runs."""
    slow = ["--milliseconds", str(SLOWER_THAN_A_CHECKER_WAITS)] if kind == "slow" else []
    try:
        local("fault", "--region", region, "--kind", kind, *slow)
        yield
    finally:
        local("heal", "--region", region)


def titles(user: SignedIn) -> list[str]:
    """Every item's title, doubles included."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = user.list(limit=100, **cursor).json()
        found += [item["title"] for item in page["items"]]
        if not page["next_cursor"]:
            return found
        cursor = {"cursor": page["next_cursor"]}


def assert_no_loss_and_no_duplicates(traffic: Traffic, user: SignedIn, *apis: Api) -> None:
    """Each Region holds every acknowledged write, and each write once."""
    acknowledged = set(traffic.acknowledged())
    for api in apis:
        there = user.at(api)
        stored = eventually(
            lambda there=there: titles(there),  # type: ignore[misc]
            acknowledged.issubset,
            REPLICATION_DEADLINE,
        )
        assert len(stored) == len(set(stored))


def failed_reads(traffic: Traffic) -> list[Attempt]:
    return [one for one in traffic.attempts if one.method == "GET" and one.status != 200]


@pytest.mark.parametrize("kind", BREAKING)
def test_users_leave_a_broken_region_and_come_back(
    kind: str,
    deployment: Deployment,
    traffic: Traffic,
    user: SignedIn,
    apis: dict[str, Api],
    limit: float,
) -> None:
    primary, standby = deployment.primary.region, deployment.standby.region
    fault = time.monotonic()
    with broken(primary, kind):
        took = traffic.await_service(standby, fault, within=limit)
        print(f"{kind}: served by {standby} after {took:.1f} s, limit {limit:.1f} s")
    traffic.await_service(primary, time.monotonic(), within=2 * limit)
    assert failed_reads(traffic) == []
    assert_no_loss_and_no_duplicates(traffic, user, apis["primary"], apis["standby"])


def test_with_both_regions_broken_the_edge_says_so_and_dns_still_answers(
    deployment: Deployment,
    operator: Operator,
    http: requests.Session,
    traffic: Traffic,
    limit: float,
) -> None:
    primary, standby = deployment.primary.region, deployment.standby.region
    with broken(standby, "hang"), broken(primary, "hang"):
        eventually(lambda: failing(deployment, operator), bool, within=2 * limit)
        assert serving(deployment) == primary

        read = http.get(f"{deployment.api_url}/health", timeout=READ_TIMEOUT_OF_THE_EDGE)
        write = http.post(f"{deployment.api_url}/v1/items", timeout=READ_TIMEOUT_OF_THE_EDGE + 10)

        assert (read.status_code, write.status_code) == (504, 504)
        # Neither Region is waited for longer than a read may take.
        assert read.elapsed < write.elapsed / 2
        assert write.elapsed.total_seconds() < READ_TIMEOUT_OF_THE_EDGE + 5
    traffic.await_service(primary, time.monotonic(), within=2 * limit)


def test_an_operator_moves_users_when_the_primary_is_gone_and_back_without_two_writers(
    deployment: Deployment,
    operator: Operator,
    traffic: Traffic,
    user: SignedIn,
    apis: dict[str, Api],
    limit: float,
) -> None:
    primary, standby = deployment.primary.region, deployment.standby.region
    hand_over = hand_over_of(deployment, operator, patience=2 * limit)
    try:
        with broken(primary, "partition"):
            began = time.monotonic()
            assert hand_over.take_over().moved
            traffic.await_service(standby, began, within=limit)
        assert failed_reads(traffic) == []
        # Healed, with the switch still active.
        ready = f"{deployment.primary.url}/health/ready"
        eventually(lambda: watchers.answers(ready), bool, within=2 * limit)
        assert serving(deployment) == standby
        at_primary = user.at(apis["primary"])
        eventually(
            lambda: (
                at_primary.create({"title": "early"}, "too-early", fault_expected=True).status_code
            ),
            lambda status: status == 503,
            REPLICATION_DEADLINE,
        )
        assert at_primary.list().ok, "it goes on answering reads"

        outcome = hand_over.fail_back()
    finally:
        hand_over.switch.reset()
    assert outcome.moved
    traffic.await_service(primary, time.monotonic(), within=limit)
    print(f"failback: writes were refused for {outcome.refused_seconds} s at most")
    assert two_writers(traffic, primary, standby) == []
    assert_no_loss_and_no_duplicates(traffic, user, apis["primary"], apis["standby"])


def hand_over_of(deployment: Deployment, operator: Operator, patience: float) -> HandOver:
    """What `make takeover` and `make failback` perform."""
    regions = {stack.region: stack for stack in deployment.regions}
    return HandOver(
        switch=Switch(
            deployment.primary.region,
            deployment.standby.region,
            {region: operator.dynamodb(region) for region in regions},
            deployment.table_name,
        ),
        writes_served_by=lambda: watchers.writes_served_by(deployment.api_url),
        ready=lambda region: watchers.answers(f"{regions[region].url}/health/ready"),
        tell=print,
        patience_seconds=patience,
        # No user of this deployment has an older answer of DNS than this test.
        linger_seconds=1.0,
    )


def two_writers(traffic: Traffic, leaving_last: str, coming_first: str) -> list[float]:
    """When the primary acknowledged a write that the standby's were still to follow.

    Between the takeover and the failback the standby alone writes: what the primary acknowledges is
    from before its first, or from after its last.
    """
    writes = [one for one in traffic.attempts if one.method == "POST" and one.status == 201]
    standbys = [one.ended for one in writes if one.region == coming_first]
    return [
        one.began
        for one in writes
        if one.region == leaving_last and min(standbys) < one.began < max(standbys)
    ]


def test_status_shows_who_serves(deployment: Deployment, traffic: Traffic) -> None:
    del traffic  # the primary serves it
    status = [sys.executable, "-m", "local", "status"]
    shown = subprocess.run(status, cwd=TREE.root, check=True, capture_output=True, text=True).stdout
    lines = shown.splitlines()

    assert [" 200 in " in line for line in lines if line.startswith("edge")] == [True]
    origins = [line for line in lines if f"dns         origin.{deployment.domain_name}:" in line]
    assert [deployment.primary.region in line for line in origins] == [True]


def serving(deployment: Deployment) -> str:
    """The Region that DNS gives for the origin."""
    regions = [one.region for one in deployment.regions]
    return watchers.failover_record(deployment.domain_name, regions).look()


def failing(deployment: Deployment, operator: Operator) -> bool:
    """Whether neither Region is ready, as far as any health checker knows."""
    hosts = [f"{one.region}.{deployment.domain_name}" for one in deployment.regions]
    watched = watchers.health_checks(operator.route53(), hosts)
    checks = [one for one in watched if one.subject.endswith("/health/ready")]
    return {one.look() for one in checks} == {"does not answer"}


def test_users_who_are_throttled_to_nothing_are_moved_nowhere(
    deployment: Deployment, operator: Operator, user: SignedIn
) -> None:
    """A flood is no lost Region: to an equal standby it would only move along."""
    regions = [one.region for one in deployment.regions]
    with ExitStack() as flooded:
        for region in regions:
            flooded.enter_context(operator.stopped(region))
        with ExitStack() as limited:
            for region in regions:
                limited.enter_context(operator.throttled(region))
            assert user.send("GET", "/v1/items").status_code == 429
            since = datetime.now(UTC)
            checked = eventually(
                lambda: observations(deployment, operator, since), all, within=60, every=1
            )
        assert user.send("GET", "/v1/items", fault_expected=True).status_code == 500
        assert serving(deployment) == regions[0]
    assert {status.startswith("Success") for one in checked for status in one} == {True}
    eventually(lambda: user.send("GET", "/v1/items", fault_expected=True).ok, bool, within=10)


def observations(deployment: Deployment, operator: Operator, since: datetime) -> list[list[str]]:
    """What each checker of each Region's readiness saw since then; none until all have looked."""
    route53 = operator.route53()
    hosts = {f"{one.region}.{deployment.domain_name}" for one in deployment.regions}
    found = []
    for check in route53.list_health_checks()["HealthChecks"]:
        config = check["HealthCheckConfig"]
        host, path = config.get("FullyQualifiedDomainName"), config.get("ResourcePath")
        if host in hosts and path == "/health/ready":
            status = route53.get_health_check_status(HealthCheckId=check["Id"])
            reports = [one["StatusReport"] for one in status["HealthCheckObservations"]]
            is_new = all(report["CheckedTime"] > since for report in reports)
            found.append([report["Status"] for report in reports] if is_new else [])
    assert len(found) == len(hosts)
    return found
