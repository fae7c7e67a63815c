"""A real account as moto has it, deployed or empty, and what moto doesn't answer."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import dns.resolver
from moto import mock_aws

import doctor.dns
from doctor.aws import Aws
from doctor.expected import Expected, expected
from project.account import Account

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

PRIMARY, STANDBY = "us-east-1", "eu-west-1"
PROD = Account(
    name="prod",
    project="landing",
    account_id="123456789012",  # moto's
    domain_name="example.com",
    primary_region=PRIMARY,
    standby_region=STANDBY,
    table_name="landing-prod-items",
)
ON_CALL = "on-call@example.com"
SETTINGS: dict[str, Any] = {
    "hosted_zone_id": None,
    "alarms_reach_somebody": True,
    "health_reserved_concurrency": -1,
    "create_hosted_zone": True,
    "domain_delegated": True,
    "deletion_protection": True,
    "point_in_time_recovery": True,
    "alarm_emails": [ON_CALL],
    "reserved_concurrency": 600,
    "throttle_rate_limit": 1000,
    "throttle_burst_limit": 500,
    "email_ses_identity_arn": f"arn:aws:ses:{PRIMARY}:123456789012:identity/example.com",
}
# By service and operation: AWS's own answers to what moto doesn't know.
ANSWERS: dict[str, Any] = {
    "account.GetRegionOptStatus": {"RegionOptStatus": "ENABLED_BY_DEFAULT"},
    "lambda.GetAccountSettings": {"AccountLimit": {"ConcurrentExecutions": 1000}},
    "apigateway.GetAccount": {"throttleSettings": {"rateLimit": 10000.0, "burstLimit": 5000}},
    "route53.GetAccountLimit": {"Limit": {"Value": 200}, "Count": 5},
    "sesv2.GetAccount": {"ProductionAccessEnabled": True, "SendingEnabled": True},
    "sesv2.GetEmailIdentity": {"VerifiedForSendingStatus": True},
}


def prod(**changes: Any) -> Expected:
    """What live/prod expects, but for some settings."""
    return expected(PROD, {**SETTINGS, **changes})


@dataclass(frozen=True, slots=True)
class MotoAws(Aws):
    """AWS as moto has it. `answers` go before moto's, `asked` holds every service.Operation.

    Clients cost far more than all that is asked of them: one for all tests, who forget first.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)

    def forget(self) -> None:
        """Begin anew with what AWS answers to everybody."""
        self.answers.clear()
        self.answers.update(ANSWERS)
        self.asked.clear()

    def client(self, service: str, region: str = PRIMARY) -> Any:
        known = (service, region) in self._clients
        made = Aws.client(self, service, region)
        if not known:
            made.meta.events.register_first("before-call.*.*", self._answer)
        return made

    def _answer(self, model: Any, **_: Any) -> Any:
        name = f"{model.service_model.service_name}.{model.name}"
        self.asked.add(name)
        answer = self.answers.get(name)
        if isinstance(answer, Exception):
            raise answer
        return None if answer is None else (SimpleNamespace(status_code=200, headers={}), answer)


@dataclass(slots=True)
class PublicDns:
    """What the world's name servers say, by (name, kind); an exception's class is raised."""

    records: dict[tuple[str, str], Any] = field(default_factory=dict)

    def resolve(self, name: str, kind: str, *, search: bool) -> list[str]:
        assert not search
        found = self.records.get((name, kind))
        if isinstance(found, type):
            raise found
        if not found:
            raise dns.resolver.NXDOMAIN
        return list(found)


@contextmanager
def moto_account(
    aws: MotoAws, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[MotoAws, PublicDns]]:
    """An empty account, and a world that knows nothing of it."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    public = PublicDns()
    with mock_aws(), patch.object(doctor.dns, "resolver", lambda **_: public):
        aws.forget()
        yield aws, public


def deploy(aws: MotoAws, public: PublicDns) -> None:
    """Make what a first apply makes, and delegate the domain."""
    _zone(aws, public)
    _certificates(aws)
    for region in (PRIMARY, STANDBY):
        _table(aws, region)
        _alarms(aws, region, region)
    _alarms(aws, "edge", PRIMARY)
    _state(aws)
    _distribution(aws)
    _health_checks(aws)


def _zone(aws: MotoAws, public: PublicDns) -> None:
    made = aws.client("route53").create_hosted_zone(
        Name="example.com",
        CallerReference="1",
        HostedZoneConfig={"Comment": "Names of landing-prod", "PrivateZone": False},
    )
    servers = made["DelegationSet"]["NameServers"]
    public.records["example.com.", "NS"] = [f"{server}." for server in servers]
    zone = {**made["HostedZone"], "Features": {"AcceleratedRecoveryStatus": "ENABLED"}}
    aws.answers["route53.GetHostedZone"] = {
        "HostedZone": zone,
        "DelegationSet": made["DelegationSet"],
    }


def _table(aws: MotoAws, region: str) -> None:
    client = aws.client("dynamodb", region)
    client.create_table(
        TableName=PROD.table_name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "owner", "AttributeType": "S"},
            {"AttributeName": "item_id", "AttributeType": "S"},
        ],
        KeySchema=[
            {"AttributeName": "owner", "KeyType": "HASH"},
            {"AttributeName": "item_id", "KeyType": "RANGE"},
        ],
        DeletionProtectionEnabled=True,
    )
    set_recovery(aws, region, on=True)


def set_recovery(aws: MotoAws, region: str, *, on: bool) -> None:
    """Switch a replica's point-in-time recovery."""
    aws.client("dynamodb", region).update_continuous_backups(
        TableName=PROD.table_name,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": on},
    )


def _certificates(aws: MotoAws) -> None:
    # moto would make a key for each, which takes as long as all the rest.
    arn = "arn:aws:acm:somewhere:123456789012:certificate/1"
    listed = {"CertificateArn": arn, "DomainName": "example.com"}
    aws.answers["acm.ListCertificates"] = {"CertificateSummaryList": [listed]}
    ends = datetime.now(UTC) + timedelta(days=200)
    described = {"CertificateArn": arn, "Status": "ISSUED", "NotAfter": ends, "InUseBy": ["arn"]}
    aws.answers["acm.DescribeCertificate"] = {"Certificate": described}


def _alarms(aws: MotoAws, place: str, region: str) -> None:
    topic = aws.client("sns", region).create_topic(Name=f"landing-prod-{place}-alarms")["TopicArn"]
    aws.client("sns", region).subscribe(TopicArn=topic, Protocol="email", Endpoint=ON_CALL)
    watch = aws.client("cloudwatch", region)
    watch.put_metric_alarm(
        AlarmName=f"landing-prod-{place}-errors",
        Namespace="AWS/ApiGateway",
        MetricName="5XXError",
        Period=60,
        EvaluationPeriods=1,
        Statistic="Sum",
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[topic],
    )
    set_alarm(aws, region, place, "OK")


def set_alarm(aws: MotoAws, region: str, place: str, state: str) -> None:
    """Put an alarm into a state."""
    aws.client("cloudwatch", region).set_alarm_state(
        AlarmName=f"landing-prod-{place}-errors", StateValue=state, StateReason="test"
    )


def _state(aws: MotoAws, region: str = STANDBY) -> None:
    bucket = f"landing-tfstate-123456789012-{region}"
    client = aws.client("s3", region)
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    set_versions(aws, "Enabled")


def set_versions(aws: MotoAws, status: str) -> None:
    """Switch the versions of the state's bucket."""
    aws.client("s3", STANDBY).put_bucket_versioning(
        Bucket=f"landing-tfstate-123456789012-{STANDBY}",
        VersioningConfiguration={"Status": status},
    )


def _distribution(aws: MotoAws) -> None:
    origin = {
        "Id": "regions",
        "DomainName": "origin.example.com",
        "CustomOriginConfig": {
            "HTTPPort": 80,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "https-only",
        },
    }
    aws.client("cloudfront").create_distribution(
        DistributionConfig={
            "CallerReference": "1",
            "Comment": "",
            "Enabled": True,
            "Aliases": {"Quantity": 1, "Items": ["api.example.com"]},
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": {
                "TargetOriginId": "regions",
                "ViewerProtocolPolicy": "https-only",
            },
        }
    )


def _health_checks(aws: MotoAws) -> None:
    client = aws.client("route53")

    def make(reference: str, **config: Any) -> str:
        made = client.create_health_check(CallerReference=reference, HealthCheckConfig=config)
        return str(made["HealthCheck"]["Id"])

    https = {"Type": "HTTPS", "RequestInterval": 10, "FailureThreshold": 3}
    ready = make("r", **https, FullyQualifiedDomainName=f"{PRIMARY}.example.com", ResourcePath="/a")
    taken = make(
        "t",
        **https,
        FullyQualifiedDomainName=f"{STANDBY}.example.com",
        ResourcePath="/b",
        Inverted=True,
    )
    serves = make("s", Type="CALCULATED", HealthThreshold=2, ChildHealthChecks=[ready, taken])
    # Somebody else's, which is nobody's business here.
    make("o", **https, FullyQualifiedDomainName="www.example.org", ResourcePath="/")
    for identifier in (ready, taken, serves):
        set_health(aws, identifier, 1)


def set_health(aws: MotoAws, identifier: str, value: float, *, minutes_ago: int = 2) -> None:
    """Give a check a value: the lowest of a minute counts."""
    point = {
        "MetricName": "HealthCheckStatus",
        "Dimensions": [{"Name": "HealthCheckId", "Value": identifier}],
        "Timestamp": datetime.now(UTC) - timedelta(minutes=minutes_ago),
        "Value": value,
    }
    aws.client("cloudwatch").put_metric_data(Namespace="AWS/Route53", MetricData=[point])


def health_check(aws: MotoAws, kind: str) -> str:
    """Give the id of the first check with a path, or of the calculated one."""
    checks = aws.client("route53").list_health_checks()["HealthChecks"]
    return next(
        str(each["Id"])
        for each in checks
        if kind
        in (each["HealthCheckConfig"].get("ResourcePath"), each["HealthCheckConfig"]["Type"])
    )
