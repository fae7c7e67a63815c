"""What is held of an answer, without asking anybody."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dns.flags
import dns.resolver
import pytest
import yaml
from botocore.exceptions import ClientError, EndpointConnectionError

from doctor import alerts, certificates, cloudfront, data, health, identity, mail, quotas, state
from doctor import dns as zone_dns
from doctor.aws import unanswered
from doctor.finding import Finding, Verdict, exit_status, not_known, ok, wrong
from doctor.text import document, table
from project.paths import TREE
from tests.doctor.an_account import STANDBY, PublicDns, prod
from tests.support.contract import LAMBDA, METHODS

if TYPE_CHECKING:
    from collections.abc import Callable

OK, WRONG, NOT_KNOWN = Verdict.OK, Verdict.WRONG, Verdict.NOT_KNOWN
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
PLACE = alerts.Place(STANDBY, STANDBY, f"{STANDBY}/api")
ISSUED = certificates.Certificate("arn", "ISSUED", NOW + timedelta(days=200), in_use=True)
WAITING = certificates.Certificate("arn", "PENDING_VALIDATION", None, in_use=False)
UNRESERVED: dict[str, Any] = {"reserved_concurrency": -1, "throttle_rate_limit": 100}
SWITCH = health.HealthCheck("id", "eu-west-1 /health/takeover", inverted=True)


def certificate(*found: certificates.Certificate, **settings: Any) -> Finding:
    return certificates.judge(STANDBY, found, NOW, prod(**settings))


def subscribed(*found: tuple[str, bool], **settings: Any) -> Finding:
    subscriptions = [alerts.Subscription(*each) for each in found]
    return alerts.judge_subscriptions(PLACE, subscriptions, prod(**settings))


def concurrency(limit: int, **settings: Any) -> Finding:
    return quotas.judge_concurrency(STANDBY, limit, prod(**settings))


def delegated(*public: str, **settings: Any) -> Finding:
    servers = ("ns1.aws.", "ns2.aws.")
    return zone_dns.judge_delegation("example.com", servers, public, prod(**settings))


@pytest.mark.parametrize(
    ("found", "verdict", "says"),
    [
        (lambda: identity.judge_region("r", STANDBY, "ENABLED"), OK, "ENABLED"),
        (lambda: identity.judge_region("r", STANDBY, "ENABLING"), WRONG, "enable-region"),
        # Reserved, and the 100 that Lambda leaves to all others.
        (lambda: concurrency(700), OK, "700 needed"),
        (lambda: concurrency(699), WRONG, "600 reserved"),
        (lambda: concurrency(720, health_reserved_concurrency=20), OK, "600 reserved, 20 reserved"),
        (lambda: concurrency(719, health_reserved_concurrency=20), WRONG, "720 needed"),
        (
            lambda: concurrency(119, **UNRESERVED, health_reserved_concurrency=20),
            WRONG,
            "120 needed",
        ),
        # Nothing reserved: ten requests a second for each that runs.
        (
            lambda: concurrency(10, **UNRESERVED),
            OK,
            "10 needed",
        ),
        (
            lambda: concurrency(10, reserved_concurrency=-1, throttle_rate_limit=101),
            WRONG,
            "11 needed",
        ),
        (lambda: quotas.judge_gateway(STANDBY, 7000, 500, prod()), OK, "7 methods"),
        (lambda: quotas.judge_gateway(STANDBY, 6999, 500, prod()), WRONG, "throttle_rate_limit"),
        (lambda: quotas.judge_gateway(STANDBY, 7000, 499, prod()), WRONG, "burst"),
        (lambda: quotas.judge_health_checks(195, 200), OK, "195 of 200"),
        (lambda: quotas.judge_health_checks(196, 200), WRONG, "route53"),
        (lambda: mail.judge_sandbox(STANDBY, production=True, sending=True), OK, "out of it"),
        (lambda: mail.judge_sandbox(STANDBY, production=False, sending=True), WRONG, "verified"),
        (lambda: mail.judge_sandbox(STANDBY, production=True, sending=False), WRONG, "paused"),
        (lambda: mail.judge_identity("x.com", STANDBY, verified=True), OK, "is verified"),
        (lambda: mail.judge_identity("x.com", STANDBY, verified=False), WRONG, "not verified"),
        (lambda: mail.judge_identity("x.com", STANDBY, verified=None), WRONG, "not there"),
        (lambda: state.judge_place("b", STANDBY, prod()), OK, STANDBY),
        (lambda: state.judge_place("b", "us-east-1", prod()), WRONG, "lost with it"),
        (lambda: state.judge_versions("b", "Enabled"), OK, "kept"),
        (lambda: state.judge_versions("b", "off"), WRONG, "put-bucket-versioning"),
        (lambda: delegated("ns2.aws.", "ns1.aws."), OK, "delegated"),
        (
            lambda: delegated("ns2.aws.", "ns1.aws.", domain_delegated=False),
            OK,
            "domain_delegated = true",
        ),
        (lambda: delegated("ns1.aws."), WRONG, "ns2.aws"),
        (lambda: delegated("ns1.aws.", "ns2.aws.", "ns.old."), WRONG, "ns.old"),
        (lambda: delegated("ns.old."), WRONG, "ns1.aws., ns2.aws."),
        (delegated, WRONG, "none"),
        (lambda: delegated("ns.old.", domain_delegated=False), NOT_KNOWN, "ns1.aws."),
        (lambda: zone_dns.judge_signature("x", [], []), OK, "none"),
        (lambda: zone_dns.judge_signature("x", ["1 13 2 ab"], ["1"]), OK, "signed with"),
        (lambda: zone_dns.judge_signature("x", ["2 13 2 ab"], ["1"]), WRONG, "registrar"),
        (lambda: zone_dns.judge_signature("x", ["2 13 2 ab"], []), WRONG, "would not resolve"),
        (lambda: zone_dns.judge_recovery("Z1", "ENABLED", prod()), OK, "on"),
        (
            lambda: zone_dns.judge_recovery("Z1", "ENABLING_HOSTED_ZONE_LOCKED", prod()),
            NOT_KNOWN,
            "ENABLING",
        ),
        (lambda: zone_dns.judge_recovery("Z1", "DISABLING", prod()), WRONG, "hosted-zone-id Z1"),
        (
            lambda: zone_dns.judge_recovery("Z1", "ENABLE_FAILED", prod()),
            WRONG,
            "update-hosted-zone",
        ),
        (
            lambda: zone_dns.judge_recovery("Z1", "DISABLED", prod(deletion_protection=False)),
            OK,
            "may be lost",
        ),
        (certificate, NOT_KNOWN, "not there yet"),
        (lambda: certificate(ISSUED), OK, "200 days"),
        (lambda: certificate(replace(ISSUED, ends=NOW + timedelta(days=30))), OK, "30 days"),
        (
            lambda: certificate(replace(ISSUED, ends=NOW + timedelta(days=29))),
            WRONG,
            "validation record",
        ),
        (lambda: certificate(replace(ISSUED, ends=NOW - timedelta(days=2))), WRONG, "-2 days"),
        (lambda: certificate(WAITING, domain_delegated=False), NOT_KNOWN, "72 hours"),
        (lambda: certificate(WAITING), WRONG, "CAA"),
        (lambda: certificate(replace(WAITING, status="VALIDATION_TIMED_OUT")), WRONG, "-replace"),
        # One that was asked for beside the one that answers says nothing.
        (lambda: certificate(WAITING, ISSUED), OK, "200 days"),
        (
            lambda: certificate(replace(ISSUED, in_use=False), replace(ISSUED, ends=NOW)),
            WRONG,
            "0 days",
        ),
        (lambda: data.judge_protection("t", STANDBY, prod(), protected=True), OK, "on"),
        (
            lambda: data.judge_protection("t", STANDBY, prod(), protected=False),
            WRONG,
            f"--region {STANDBY}",
        ),
        (
            lambda: data.judge_protection(
                "t", STANDBY, prod(deletion_protection=False), protected=False
            ),
            OK,
            "off",
        ),
        (lambda: data.judge_recovery("t", prod(), on=True), OK, "on"),
        (lambda: data.judge_recovery("t", prod(), on=False), WRONG, "global/data"),
        (lambda: data.judge_recovery("t", prod(point_in_time_recovery=False), on=False), OK, "off"),
        (lambda: cloudfront.judge("api.x", []), NOT_KNOWN, "ask now"),
        (lambda: cloudfront.judge("api.x", [distribution("www.x")]), OK, "permitted"),
        (lambda: cloudfront.judge("api.x", [distribution("api.x")]), OK, "serves"),
        (
            lambda: cloudfront.judge("api.x", [distribution("api.x", enabled=False)]),
            WRONG,
            "disabled",
        ),
        (lambda: health.judge(SWITCH, None), NOT_KNOWN, "no data"),
        (lambda: health.judge(SWITCH, 1.0), OK, "healthy"),
        (lambda: health.judge(SWITCH, 0.0), WRONG, "make failback"),
        (lambda: health.judge(replace(SWITCH, inverted=False), 0.0), WRONG, "unhealthy"),
        (lambda: subscribed(("on-call@example.com", True)), OK, "confirmed"),
        (lambda: subscribed(("on-call@example.com", False)), WRONG, "not confirmed"),
        (
            lambda: subscribed(("else@example.com", True)),
            WRONG,
            "not subscribed: on-call@example.com",
        ),
        (lambda: subscribed(("else@example.com", True), alarm_emails=[]), OK, "else@example.com"),
        (lambda: subscribed(alarm_emails=[]), WRONG, "nobody"),
        (lambda: subscribed(alarm_emails=[], deletion_protection=False), OK, "nobody"),
        (lambda: subscribed(alarm_emails=[], alarms_reach_somebody=False), OK, "nobody"),
        (lambda: alerts.judge_alarms(STANDBY, []), NOT_KNOWN, "not there yet"),
        (
            lambda: alerts.judge_alarms(STANDBY, [alarm("OK"), alarm("INSUFFICIENT_DATA")]),
            OK,
            "1 without data",
        ),
        (lambda: alerts.judge_alarms(STANDBY, [alarm("OK"), alarm("ALARM")]), WRONG, "on: ALARM"),
        (
            lambda: alerts.judge_alarms(STANDBY, [alarm("OK", muted=True)]),
            WRONG,
            "enable-alarm-actions",
        ),
    ],
)
def test_a_verdict(found: Callable[[], Finding], verdict: Verdict, says: str) -> None:
    finding = found()
    assert finding.verdict is verdict
    assert says in f"{finding.found} {finding.do}"
    assert finding.do or verdict is not WRONG


def alarm(name: str, *, muted: bool = False) -> alerts.Alarm:
    return alerts.Alarm(name, name, muted)


def distribution(alias: str, *, enabled: bool = True) -> cloudfront.Distribution:
    return cloudfront.Distribution("E1", "Deployed", enabled, (alias,))


@pytest.mark.parametrize(
    ("findings", "status"),
    [
        ([ok("a", "b"), not_known("c", "not there yet")], 0),
        ([ok("a", "b"), replace(not_known("c", "silent"), refused=True)], 2),
        ([replace(not_known("c", "silent"), refused=True), wrong("a", "b", "do")], 1),
    ],
)
def test_what_is_wrong_ends_with_1_and_who_is_silent_with_2(
    findings: list[Finding], status: int
) -> None:
    assert exit_status(findings) == status
    assert f'"exit_status": {status},' in document("dev", findings)


def test_a_line_says_verdict_subject_and_find_and_the_next_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    command = "aws " + "--long-option value " * 10
    shown = table([ok("a", "word " * 30), wrong("longer", "found", command)])
    assert all(len(line) <= 80 for line in shown.splitlines() if "→" not in line)
    assert f"wrong      longer  found\n           → {command}\n" in shown
    assert shown.endswith("\n1 ok, 1 wrong, 0 not known")


def test_as_many_methods_are_counted_as_the_contract_has_of_users() -> None:
    paths = yaml.safe_load((LAMBDA / "openapi.yaml").read_text())["paths"]
    of_users = [set(path) & set(METHODS) for name, path in paths.items() if "/health" not in name]
    assert sum(map(len, of_users)) == quotas.USER_METHODS


def test_as_many_health_checks_are_counted_as_the_edge_makes() -> None:
    written = "".join(file.read_text() for file in (TREE.root / "modules" / "edge").glob("*.tf"))
    # One is made for each Region.
    made = written.count('resource "aws_route53_health_check"') + 1
    assert made == quotas.NEW_HEALTH_CHECKS


@pytest.mark.parametrize(
    ("error", "on_emulator", "refused"),
    [
        (ClientError({"Error": {"Code": "InvalidAction"}}, "Some"), True, False),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1"), True, True),
        (ClientError({"Error": {"Code": "InvalidAction"}}, "Some"), False, True),
        (ClientError({"Error": {"Code": "AccessDenied"}}, "Some"), False, True),
    ],
)
def test_what_the_embedded_aws_lacks_is_not_known_and_no_failure(
    error: Any, on_emulator: bool, refused: bool
) -> None:
    finding = unanswered("subject", error, on_emulator=on_emulator)
    assert (finding.verdict, finding.refused) == (NOT_KNOWN, refused)


def test_only_the_domains_own_checks_are_looked_at() -> None:
    def check(identifier: str, **config: Any) -> dict[str, Any]:
        return {"Id": identifier, "HealthCheckConfig": config}

    found = health.below(
        "example.com",
        [
            check("a", FullyQualifiedDomainName="eu-west-1.example.com", ResourcePath="/health"),
            check("b", FullyQualifiedDomainName="eu-west-1.notexample.com", ResourcePath="/"),
            check("c", ChildHealthChecks=["a"]),
            check("d", ChildHealthChecks=["b"]),
        ],
    )
    assert [each.subject for each in found] == [
        "health: eu-west-1 /health",
        "health: the primary serves",
    ]


@pytest.mark.parametrize(
    "nobody", [dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.resolver.NoNameservers]
)
def test_a_name_that_nobody_serves_has_no_records(
    monkeypatch: pytest.MonkeyPatch, nobody: type[Exception]
) -> None:
    world = PublicDns({("example.com.", "NS"): nobody})
    monkeypatch.setattr(zone_dns, "resolver", lambda **_: world)
    assert zone_dns.names("example.com", "NS", on_emulator=False) == []


def test_the_embedded_aws_asks_its_own_name_server_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOCAL_DNS_PORT", "4321")
    asked = zone_dns.resolver(on_emulator=True)
    assert (asked.nameservers, asked.port) == (["127.0.0.1"], 4321)


def test_a_resolver_is_asked_not_to_validate() -> None:
    assert zone_dns.resolver(on_emulator=True).flags == dns.flags.RD | dns.flags.CD
