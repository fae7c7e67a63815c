"""An account on moto: empty, deployed, and deployed with one thing wrong."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import dns.exception
import dns.resolver
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

import doctor.dns
from doctor.examination import examine
from doctor.finding import Finding, Verdict, exit_status
from project.console import ToolchainError
from project.paths import TREE
from tests.doctor.an_account import (
    PRIMARY,
    PROD,
    STANDBY,
    MotoAws,
    PublicDns,
    deploy,
    health_check,
    moto_account,
    prod,
    set_alarm,
    set_health,
    set_recovery,
    set_versions,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def aws() -> MotoAws:
    with mock_aws():
        return MotoAws(on_emulator=False)


@pytest.fixture
def empty(aws: MotoAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[MotoAws, PublicDns]]:
    with moto_account(aws, monkeypatch) as account:
        yield account


@pytest.fixture
def deployed(empty: tuple[MotoAws, PublicDns]) -> tuple[MotoAws, PublicDns]:
    deploy(*empty)
    return empty


def subjects(findings: list[Finding], verdict: Verdict) -> set[str]:
    return {finding.subject for finding in findings if finding.verdict is verdict}


def test_all_is_well_after_an_apply(deployed: tuple[MotoAws, PublicDns]) -> None:
    findings = examine(deployed[0], prod())
    assert [each for each in findings if each.verdict is not Verdict.OK] == []
    assert exit_status(findings) == 0


def test_before_the_first_apply_what_is_missing_is_said_and_nothing_is_wrong(
    empty: tuple[MotoAws, PublicDns],
) -> None:
    findings = examine(empty[0], prod(domain_delegated=False))
    assert subjects(findings, Verdict.WRONG) == set()
    not_yet = {each.subject for each in findings if each.found == "not there yet"}
    assert not_yet == {
        *(
            f"table in {r}: {what}"
            for r in (PRIMARY, STANDBY)
            for what in ("protection", "recovery")
        ),
        *(f"certificate in {region}" for region in (PRIMARY, STANDBY)),
        *(f"{it} in {region}" for it in ("writes", "release") for region in (PRIMARY, STANDBY)),
        *(f"alarms in {region}" for region in (PRIMARY, STANDBY)),
        *(f"subscriptions: {place}" for place in (PRIMARY, STANDBY, "edge")),
        "state bucket: where",
        "hosted zone",
        "health checks",
    }
    # Whether a new account may use CloudFront shows only at its first distribution.
    assert subjects(findings, Verdict.NOT_KNOWN) - not_yet == {"CloudFront"}
    assert exit_status(findings) == 0


def answer(name: str, document: dict[str, Any]) -> Callable[[MotoAws, PublicDns], None]:
    return lambda aws, _: aws.answers.update({name: document})


def recovery(aws: MotoAws, status: str | None) -> None:
    zone = aws.answers["route53.GetHostedZone"]["HostedZone"]
    zone["Features"] = {"AcceleratedRecoveryStatus": status} if status else {}


def unprotect(aws: MotoAws, _: PublicDns) -> None:
    aws.client("dynamodb", STANDBY).update_table(
        TableName=PROD.table_name, DeletionProtectionEnabled=False
    )


def mute(aws: MotoAws, _: PublicDns) -> None:
    aws.client("cloudwatch", STANDBY).disable_alarm_actions(
        AlarmNames=[f"landing-prod-{STANDBY}-errors"]
    )


def second_zone(aws: MotoAws, _: PublicDns) -> None:
    aws.client("route53").create_hosted_zone(Name="example.com", CallerReference="2")


def state_in_the_primary(aws: MotoAws, _: PublicDns) -> None:
    aws.client("s3", STANDBY).delete_bucket(Bucket=f"landing-tfstate-123456789012-{STANDBY}")
    aws.client("s3").create_bucket(Bucket=f"landing-tfstate-123456789012-{PRIMARY}")
    aws.client("s3").put_bucket_versioning(
        Bucket=f"landing-tfstate-123456789012-{PRIMARY}",
        VersioningConfiguration={"Status": "Enabled"},
    )


def pending(arn: str, endpoint: str = "on-call@example.com") -> dict[str, Any]:
    return {"Subscriptions": [{"SubscriptionArn": arn, "Endpoint": endpoint}]}


GUIDE = TREE.root / "docs" / "deployment-guide.md"
POLICY = re.compile(r"```json\n(.*?)```", re.DOTALL)
# API Gateway's actions are HTTP's methods (service authorization reference).
ACTIONS = {"apigateway.GetAccount": "apigateway:GET"}
SUBSCRIPTIONS = {f"subscriptions: {place}" for place in (PRIMARY, STANDBY, "edge")}
CERTIFICATES = {f"certificate in {region}" for region in (PRIMARY, STANDBY)}


@pytest.mark.parametrize(
    ("broken", "wrong"),
    [
        (
            answer("account.GetRegionOptStatus", {"RegionOptStatus": "DISABLED"}),
            {f"primary Region {PRIMARY}", f"standby Region {STANDBY}"},
        ),
        (
            answer("lambda.GetAccountSettings", {"AccountLimit": {"ConcurrentExecutions": 699}}),
            {f"quota in {region}: Lambda concurrency" for region in (PRIMARY, STANDBY)},
        ),
        (
            answer(
                "apigateway.GetAccount",
                {"throttleSettings": {"rateLimit": 2500.0, "burstLimit": 1250}},
            ),
            {f"quota in {region}: API Gateway rate" for region in (PRIMARY, STANDBY)},
        ),
        (
            answer("route53.GetAccountLimit", {"Limit": {"Value": 200}, "Count": 196}),
            {"quota: health checks"},
        ),
        (
            answer("sesv2.GetAccount", {"ProductionAccessEnabled": False, "SendingEnabled": True}),
            {"SES: sandbox"},
        ),
        (lambda aws, _: aws.answers.pop("sesv2.GetEmailIdentity"), {"SES: identity"}),
        (unprotect, {f"table in {STANDBY}: protection"}),
        (lambda aws, _: set_recovery(aws, STANDBY, on=False), {f"table in {STANDBY}: recovery"}),
        (lambda aws, _: set_versions(aws, "Suspended"), {"state bucket: versions"}),
        (state_in_the_primary, {"state bucket: where"}),
        (second_zone, {"hosted zone"}),
        (lambda _, dns: dns.records["example.com.", "NS"].clear(), {"name servers"}),
        (
            lambda _, dns: dns.records.update({("example.com.", "DS"): ["12345 13 2 ABCDEF"]}),
            {"DS record"},
        ),
        (lambda aws, _: recovery(aws, None), {"accelerated recovery"}),
        (answer("sns.ListSubscriptionsByTopic", pending("PendingConfirmation")), SUBSCRIPTIONS),
        (lambda aws, _: set_alarm(aws, PRIMARY, "edge", "ALARM"), {f"alarms in {PRIMARY}"}),
        (mute, {f"alarms in {STANDBY}"}),
        (
            lambda aws, _: set_health(aws, health_check(aws, "CALCULATED"), 0),
            {"health: the primary serves"},
        ),
    ],
)
def test_one_thing_wrong_is_found_and_nothing_else(
    deployed: tuple[MotoAws, PublicDns],
    broken: Callable[[MotoAws, PublicDns], None],
    wrong: set[str],
) -> None:
    broken(*deployed)
    findings = examine(deployed[0], prod())
    assert subjects(findings, Verdict.WRONG) == wrong
    assert all(each.do for each in findings if each.verdict is Verdict.WRONG)
    assert exit_status(findings) == 1


def test_an_account_that_may_be_lost_is_not_held_to_what_it_does_without(
    deployed: tuple[MotoAws, PublicDns],
) -> None:
    aws, public = deployed
    unprotect(aws, public)
    recovery(aws, "DISABLED")
    aws.answers["sns.ListSubscriptionsByTopic"] = {"Subscriptions": []}
    findings = examine(aws, prod(deletion_protection=False, alarm_emails=[]))
    assert subjects(findings, Verdict.WRONG) == set()


def test_alarms_that_reach_nobody_are_wrong_where_data_must_last(
    deployed: tuple[MotoAws, PublicDns],
) -> None:
    deployed[0].answers["sns.ListSubscriptionsByTopic"] = {"Subscriptions": []}
    assert subjects(examine(deployed[0], prod(alarm_emails=[])), Verdict.WRONG) == SUBSCRIPTIONS


def test_the_state_is_looked_for_where_the_account_says(
    deployed: tuple[MotoAws, PublicDns],
) -> None:
    aws, _ = deployed
    bucket, region = "landing-tfstate-123456789012-eu-central-1", "eu-central-1"
    aws.client("s3", region).create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region}
    )
    findings = {each.subject: each for each in examine(aws, prod(state_region=region))}
    assert findings["state bucket: where"].found == f"{bucket} in {region}"
    assert findings["state bucket: versions"].verdict is Verdict.WRONG


def test_a_ds_record_of_the_zones_own_key_is_well(deployed: tuple[MotoAws, PublicDns]) -> None:
    aws, public = deployed
    public.records["example.com.", "DS"] = ["12345 13 2 ABCDEF"]
    aws.answers["route53.GetDNSSEC"] = {
        "Status": {"ServeSignature": "SIGNING"},
        "KeySigningKeys": [{"KeyTag": 12345, "Status": "ACTIVE"}],
    }
    assert exit_status(examine(aws, prod())) == 0


def test_a_health_check_is_judged_by_its_newest_value(
    deployed: tuple[MotoAws, PublicDns],
) -> None:
    aws, _ = deployed
    set_health(aws, health_check(aws, "/a"), 0, minutes_ago=5)
    assert exit_status(examine(aws, prod())) == 0


def test_certificates_of_every_key_are_looked_at(deployed: tuple[MotoAws, PublicDns]) -> None:
    aws, _ = deployed
    asked: list[dict[str, Any]] = []
    events = aws.client("acm", STANDBY).meta.events
    events.register(
        "provide-client-params.acm.ListCertificates",
        lambda params, **_: asked.append(params),
        "test",
    )
    examine(aws, prod())
    events.unregister("provide-client-params.acm.ListCertificates", unique_id="test")
    # What modules/foundation takes.
    assert {"RSA_2048", "EC_prime256v1"} <= set(asked[0]["Includes"]["keyTypes"])


def test_a_ds_record_is_told_before_there_is_a_zone_to_break(
    empty: tuple[MotoAws, PublicDns],
) -> None:
    aws, public = empty
    public.records["example.com.", "DS"] = ["12345 13 2 ABCDEF"]
    assert subjects(examine(aws, prod()), Verdict.WRONG) == {"DS record"}


def test_a_zone_that_a_registrar_made_is_told_before_a_second_one_is(
    empty: tuple[MotoAws, PublicDns],
) -> None:
    second_zone(*empty)
    aws, _ = empty
    assert subjects(examine(aws, prod()), Verdict.WRONG) == {"hosted zone"}
    ours = examine(aws, prod(create_hosted_zone=False, domain_delegated=False))
    assert "hosted zone" in subjects(ours, Verdict.OK)


def test_a_private_zone_and_one_of_another_name_are_none_of_ours(
    empty: tuple[MotoAws, PublicDns],
) -> None:
    aws, _ = empty
    zones = [("example.com.", True), ("www.example.com.", False)]
    aws.answers["route53.ListHostedZonesByName"] = {
        "HostedZones": [
            {"Id": "/hostedzone/Z1", "Name": name, "Config": {"PrivateZone": private}}
            for name, private in zones
        ]
    }
    assert subjects(examine(aws, prod()), Verdict.WRONG) == set()


def test_a_zone_that_is_named_and_not_there_is_wrong(empty: tuple[MotoAws, PublicDns]) -> None:
    findings = examine(empty[0], prod(create_hosted_zone=False, hosted_zone_id="Z0"))
    assert subjects(findings, Verdict.WRONG) == {"hosted zone"}


def test_a_domain_that_waits_for_delegation_is_told_what_to_set(
    deployed: tuple[MotoAws, PublicDns],
) -> None:
    aws, public = deployed
    servers = sorted(server.rstrip(".") for server in public.records.pop(("example.com.", "NS")))
    finding = next(
        f for f in examine(aws, prod(domain_delegated=False)) if f.subject == "name servers"
    )
    assert finding.verdict is Verdict.NOT_KNOWN
    assert ", ".join(servers) in finding.do


def refusal(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "AccessDenied", "Message": "not allowed"}}, operation)


@pytest.mark.parametrize(
    "error", [refusal("Some"), EndpointConnectionError(endpoint_url="https://somewhere")]
)
def test_who_does_not_answer_is_named_and_the_rest_is_looked_at(
    deployed: tuple[MotoAws, PublicDns], error: Exception
) -> None:
    aws, _ = deployed
    silent = (
        "lambda.GetAccountSettings",
        "route53.ListHostedZonesByName",
        "cloudwatch.GetMetricData",
        "s3.GetBucketVersioning",
        "acm.DescribeCertificate",
        "sns.ListSubscriptionsByTopic",
        "dynamodb.DescribeTable",
        "dynamodb.GetItem",
        "cloudfront.ListDistributions",
    )
    aws.answers.update(dict.fromkeys(silent, error))
    findings = examine(aws, prod())
    refused = {each.subject for each in findings if each.refused}
    assert refused == {
        *(f"quota in {region}: Lambda concurrency" for region in (PRIMARY, STANDBY)),
        "hosted zone",
        "health checks",
        "state bucket: versions",
        *CERTIFICATES,
        *SUBSCRIPTIONS,
        *(f"table in {region}: protection" for region in (PRIMARY, STANDBY)),
        *(f"{it} in {region}" for it in ("writes", "release") for region in (PRIMARY, STANDBY)),
        "CloudFront",
    }
    assert subjects(findings, Verdict.NOT_KNOWN) == refused
    assert all(each.do for each in findings if each.refused)
    assert exit_status(findings) == 2


def test_public_dns_that_does_not_answer_is_nobodys_fault_and_nobody_looked(
    deployed: tuple[MotoAws, PublicDns],
) -> None:
    aws, public = deployed
    public.records = {("example.com.", kind): dns.exception.Timeout for kind in ("NS", "DS")}
    findings = examine(aws, prod())
    assert {each.subject for each in findings if each.refused} == {"name servers", "DS record"}
    assert exit_status(findings) == 2


def test_a_machine_without_a_name_server_can_look_at_the_rest(
    deployed: tuple[MotoAws, PublicDns],
) -> None:
    with patch.object(doctor.dns, "resolver", side_effect=dns.resolver.NoResolverConfiguration):
        findings = examine(deployed[0], prod())
    assert {each.subject for each in findings if each.refused} == {"name servers", "DS record"}
    assert subjects(findings, Verdict.WRONG) == set()


def test_something_wrong_counts_for_more_than_somebody_silent(
    deployed: tuple[MotoAws, PublicDns],
) -> None:
    aws, _ = deployed
    aws.answers["acm.ListCertificates"] = refusal("ListCertificates")
    recovery(aws, "DISABLED")
    assert exit_status(examine(aws, prod())) == 1


def test_the_guide_lists_the_actions_that_are_asked_for_and_no_others(
    deployed: tuple[MotoAws, PublicDns],
) -> None:
    aws, public = deployed
    # The zone's keys are asked for where there is a DS record.
    public.records["example.com.", "DS"] = ["12345 13 2 ABCDEF"]
    aws.asked.clear()
    examine(aws, prod())
    examine(aws, prod(create_hosted_zone=False, hosted_zone_id="Z0"))
    actions = {
        ACTIONS.get(name, name.replace("sesv2.", "ses.").replace(".", ":")) for name in aws.asked
    }
    (policy,) = [
        json.loads(each) for each in POLICY.findall(GUIDE.read_text()) if "GetDNSSEC" in each
    ]
    statement, switch, key = policy["Statement"]
    assert sorted([*statement["Action"], *switch["Action"]]) == sorted(actions)
    # Or whoever may look after an account could read what its users wrote.
    assert switch["Action"] == ["dynamodb:GetItem"]
    rows = switch["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    assert rows == ["region#*", "release#*"]
    # DynamoDB decrypts in the caller's name, which no call of doctor's shows.
    assert key["Action"] == ["kms:Decrypt"]
    assert key["Condition"] == {"StringLike": {"kms:ViaService": "dynamodb.*.amazonaws.com"}}
    assert not [action for action in actions if "*" in action]


def test_another_account_is_not_looked_at(empty: tuple[MotoAws, PublicDns]) -> None:
    aws, _ = empty
    aws.answers["sts.GetCallerIdentity"] = {"Account": "210987654321", "Arn": "arn:aws:iam::2"}
    with pytest.raises(ToolchainError, match="are of account 210987654321"):
        examine(aws, prod())
    assert aws.asked == {"sts.GetCallerIdentity"}


def test_an_endpoint_that_a_shell_still_names_is_told(
    empty: tuple[MotoAws, PublicDns], monkeypatch: pytest.MonkeyPatch
) -> None:
    aws, _ = empty
    aws.answers["sts.GetCallerIdentity"] = {"Account": "000000000000", "Arn": "arn:aws:iam::0"}
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    with pytest.raises(ToolchainError, match="unset it"):
        examine(aws, prod())


def test_an_embedded_aws_that_is_stopped_is_to_be_started(
    empty: tuple[MotoAws, PublicDns],
) -> None:
    aws, _ = empty
    aws.answers["sts.GetCallerIdentity"] = EndpointConnectionError(endpoint_url="http://127.0.0.1")
    with pytest.raises(ToolchainError, match="make start"):
        examine(replace(aws, on_emulator=True), prod())


def test_without_credentials_nobody_looks(empty: tuple[MotoAws, PublicDns]) -> None:
    aws, _ = empty
    aws.answers["sts.GetCallerIdentity"] = refusal("GetCallerIdentity")
    with pytest.raises(ToolchainError, match="AWS_PROFILE"):
        examine(aws, prod())
