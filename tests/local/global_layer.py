"""A distribution, a failover pair and health checks, as small as they can be, over a stack."""

import contextlib
import http.client
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import requests
from botocore.config import Config

from local import addressing
from project import resolver
from tests.support.emulator import DOMAIN, REGIONS, Emulator, Stack

API = f"api.{DOMAIN}"
ORIGIN = f"origin.{DOMAIN}"
KEY = "the-origin-key"
# AWS allows 10 s and 30 s: nobody here waits that long.
INTERVAL = 1
TTL = 1
READ_SECONDS = 2

CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"


@dataclass(slots=True)
class GlobalLayer:
    """What was made, and the way through it."""

    stack: Stack
    zone: str
    distribution: str
    checks: dict[str, str] = field(default_factory=dict)

    @property
    def emulator(self) -> Emulator:
        """The emulator that it was made on."""
        return self.stack.emulator

    def get(self, path: str = "/", **more: Any) -> requests.Response:
        """A request by the public name."""
        return self.emulator.request(API, path, **more)

    def raw(self, path: str, name: str = API) -> int:
        """The status of a GET whose path is sent as it is: requests would tidy it up."""
        settings = self.emulator.settings
        trusted = ssl.create_default_context(cafile=str(settings.ca / "ca.pem"))
        with resolver.installed():
            connection = http.client.HTTPSConnection(
                name, settings.https_port, context=trusted, timeout=30
            )
            connection.request("GET", path)
        with contextlib.closing(connection):
            return connection.getresponse().status

    def at(self, region: str, name: str, path: str = "/", **more: Any) -> requests.Response:
        """A request to a name at a Region's own address."""
        settings = self.emulator.settings
        with resolver.installed(lambda _name: addressing.address(region)):
            return requests.request(
                more.pop("method", "GET"),
                f"https://{name}:{settings.https_port}{path}",
                verify=str(settings.ca / "ca.pem"),
                timeout=30,
                **more,
            )

    def faults(self, method: str, **fault: Any) -> requests.Response:
        """A request to the emulator's own fault control."""
        sent: dict[str, Any] = {"json": fault} if method == "POST" else {"params": fault}
        return requests.request(
            method,
            f"{self.emulator.settings.endpoint}/_local/faults",
            headers=self.emulator.control,
            timeout=5,
            **sent,
        )

    @contextmanager
    def fault(self, region: str, kind: str, **more: Any) -> Iterator[None]:
        """A Region that is broken for a while."""
        answer = self.faults("POST", region=region, kind=kind, **more)
        assert answer.status_code == 200, answer.text
        try:
            yield
        finally:
            assert self.faults("DELETE", region=region).status_code == 200

    @contextmanager
    def origin(self, **changed: Any) -> Iterator[None]:
        """The distribution's origin, changed for a while."""
        origin = self.configuration()["Origins"]["Items"][0]
        custom = {**origin["CustomOriginConfig"], **changed.pop("CustomOriginConfig", {})}
        items = [{**origin, "CustomOriginConfig": custom, **changed}]
        with self.configured(Origins={"Quantity": 1, "Items": items}):
            yield

    @contextmanager
    def configured(self, **changed: Any) -> Iterator[None]:
        """The distribution, changed for a while."""
        before = self.configuration()
        self._configure({**before, **changed})
        try:
            yield
        finally:
            self._configure(before)

    @contextmanager
    def behaviour(self, **changed: Any) -> Iterator[None]:
        """The distribution's default behaviour, changed for a while."""
        behaviour = self.configuration()["DefaultCacheBehavior"]
        with self.configured(DefaultCacheBehavior={**behaviour, **changed}):
            yield

    def configuration(self) -> dict[str, Any]:
        """The distribution's configuration, as it is now."""
        client = self.emulator.client("cloudfront")
        document = client.get_distribution_config(Id=self.distribution)
        configuration: dict[str, Any] = document["DistributionConfig"]
        return configuration

    def _configure(self, configuration: dict[str, Any]) -> None:
        client = self.emulator.client("cloudfront")
        etag = client.get_distribution_config(Id=self.distribution)["ETag"]
        client.update_distribution(
            Id=self.distribution, IfMatch=etag, DistributionConfig=configuration
        )

    def health_check(self, region: str) -> str:
        """Make a Region's health check; it runs until `remove_checks`."""
        created = unvalidated(self.emulator, "route53").create_health_check(
            CallerReference=f"{region}-{time.monotonic_ns()}",
            HealthCheckConfig={
                "Type": "HTTPS",
                "FullyQualifiedDomainName": f"{region}.{DOMAIN}",
                "ResourcePath": "/health/ready",
                "Port": 443,
                "RequestInterval": INTERVAL,
                "FailureThreshold": 1,
                "EnableSNI": True,
            },
        )
        self.checks[region] = created["HealthCheck"]["Id"]
        return self.checks[region]

    def remove_checks(self) -> None:
        """Stop the checkers."""
        for check in self.checks.values():
            self.emulator.client("route53").delete_health_check(HealthCheckId=check)
        self.checks.clear()

    def point_at(self, *targets: str) -> None:
        """Make the origin's failover pair; one Region alone answers without any health check."""
        roles = ("PRIMARY", "SECONDARY")
        changes = [
            record(
                ORIGIN,
                "CNAME",
                TTL=TTL,
                ResourceRecords=[{"Value": f"{region}.{DOMAIN}"}],
                SetIdentifier=role,
                Failover=role,
                **({"HealthCheckId": self.checks[region]} if region in self.checks else {}),
            )
            for region, role in zip(targets, roles, strict=False)
        ]
        self.change_records(changes)

    def change_records(self, changes: list[dict[str, Any]]) -> None:
        """Write records into the zone."""
        self.emulator.client("route53").change_resource_record_sets(
            HostedZoneId=self.zone, ChangeBatch={"Changes": changes}
        )


def unvalidated(emulator: Emulator, service: str) -> Any:
    """A client that sends what AWS would refuse."""
    session: Any = boto3.session.Session()
    return session.client(
        service,
        region_name="us-east-1",
        endpoint_url=emulator.settings.endpoint,
        aws_access_key_id=emulator.credentials.access_key_id,
        aws_secret_access_key=emulator.credentials.secret_access_key,
        config=Config(parameter_validation=False, retries={"max_attempts": 0}),
    )


def record(name: str, kind: str, **more: Any) -> dict[str, Any]:
    """A change that writes one record set."""
    return {"Action": "UPSERT", "ResourceRecordSet": {"Name": name, "Type": kind, **more}}


def deploy_global_layer(stack: Stack) -> GlobalLayer:
    """Records of the Regions and of the public name in the domain's zone, and the distribution."""
    route53 = stack.emulator.client("route53")
    zone = route53.list_hosted_zones_by_name(DNSName=DOMAIN)["HostedZones"][0]
    distribution = _create_distribution(stack.emulator)
    layer = GlobalLayer(stack, zone["Id"], distribution["Id"])
    names = {
        region: stack.emulator.client("apigateway", region).get_domain_name(
            domainName=f"{region}.{DOMAIN}"
        )["regionalDomainName"]
        for region in REGIONS
    }
    aliases = {f"{region}.{DOMAIN}": name for region, name in names.items()}
    aliases[API] = distribution["DomainName"]
    layer.change_records([_alias(name, target) for name, target in aliases.items()])
    layer.point_at(*REGIONS)
    return layer


def _alias(name: str, target: str) -> dict[str, Any]:
    to = {"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": target, "EvaluateTargetHealth": False}
    return record(name, "A", AliasTarget=to)


def _create_distribution(emulator: Emulator) -> dict[str, Any]:
    origin = {
        "Id": "region",
        "DomainName": ORIGIN,
        "ConnectionAttempts": 2,
        "ConnectionTimeout": 1,
        "CustomOriginConfig": {
            "HTTPPort": 80,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "https-only",
            "OriginReadTimeout": READ_SECONDS,
        },
        "CustomHeaders": {
            "Quantity": 1,
            "Items": [{"HeaderName": "x-origin-key", "HeaderValue": KEY}],
        },
    }
    methods = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
    created = emulator.client("cloudfront").create_distribution(
        DistributionConfig={
            "CallerReference": "global-layer",
            "Comment": "",
            "Enabled": True,
            "Aliases": {"Quantity": 1, "Items": [API]},
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": {
                "TargetOriginId": "region",
                "ViewerProtocolPolicy": "https-only",
                "AllowedMethods": {"Quantity": len(methods), "Items": methods},
                "CachePolicyId": CACHING_DISABLED,
                "OriginRequestPolicyId": ALL_VIEWER_EXCEPT_HOST,
            },
        }
    )
    distribution: dict[str, Any] = created["Distribution"]
    return distribution
