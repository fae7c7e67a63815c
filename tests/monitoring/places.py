"""What is deployed, as the dimensions of metrics name it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import yaml

from tests.support import log_queries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from project.deployment import Deployment, RegionStack
    from tests.monitoring.named import Named

CONTRACT = Path(__file__).parents[2] / "lambda" / "openapi.yaml"
METHODS = {"delete", "get", "head", "patch", "post", "put"}
GLOBAL_REGION = "us-east-1"
# AWS WAF's own values of Rule, beside the rules' metric names.
ALL_RULES = ("ALL", "Default_Action")

Values = dict[tuple[str, str], set[str]]
"""(namespace, dimension) → the values that something deployed has."""


def routes() -> set[tuple[str, str]]:
    """Give (path, METHOD) of every operation in the contract."""
    paths = yaml.safe_load(CONTRACT.read_text())["paths"]
    return {
        (path, method.upper())
        for path, item in paths.items()
        for method in item
        if method in METHODS
    }


@dataclass(frozen=True)
class Place:
    """One Region of a deployment; all its names begin with `name`. No `endpoint`: AWS itself."""

    name: str
    session: boto3.Session
    endpoint: str | None
    deployment: Deployment
    stack: RegionStack

    @property
    def region(self) -> str:
        """The Region's name."""
        return self.stack.region

    def client(self, service: str) -> Any:
        """A client of a service here."""
        make: Callable[..., Any] = self.session.client
        return make(service, region_name=self.region, endpoint_url=self.endpoint)

    @cached_property
    def log_fields(self) -> dict[str, frozenset[str]]:
        """Log group → the fields of its lines, of every group here that queries may ask."""
        stage = self.client("apigateway").get_stage(
            restApiId=self.stack.rest_api_id, stageName=self.stack.stage_name
        )["accessLogSettings"]
        functions = [
            self.client("lambda").get_function_configuration(FunctionName=name)
            for name in self.functions
        ]
        known = {
            stage["destinationArn"].split(":")[6]: frozenset(json.loads(stage["format"])),
            **{one["LoggingConfig"]["LogGroup"]: log_queries.FUNCTION for one in functions},
        }
        edge = {name: log_queries.EDGE for name in self.log_groups if name.endswith("/edge/access")}
        return {**known, **edge}

    @property
    def functions(self) -> tuple[str, str]:
        """The names of the Region's functions: the users', and health's."""
        return self.stack.function_name, self.stack.health_function_name

    @cached_property
    def log_groups(self) -> set[str]:
        """The names of all log groups here."""
        pages = self.client("logs").get_paginator("describe_log_groups").paginate()
        return {group["logGroupName"] for page in pages for group in page["logGroups"]}

    @cached_property
    def indexes(self) -> set[str]:
        """The table's global secondary indexes."""
        table = self.client("dynamodb").describe_table(TableName=self.deployment.table_name)
        return {one["IndexName"] for one in table["Table"].get("GlobalSecondaryIndexes", ())}

    @cached_property
    def values(self) -> Values:
        """What a metric's dimensions may name here."""
        return {
            **self._of_the_stack(),
            **self._of_web_acls(),
            **(self._of_the_edge() if self.region == GLOBAL_REGION else {}),
        }

    def _of_the_stack(self) -> Values:
        api = self.client("apigateway").get_rest_api(restApiId=self.stack.rest_api_id)
        client = self.client("lambda")
        aliases = {
            f"{function}:{alias['Name']}"
            for function in self.functions
            for alias in client.list_aliases(FunctionName=function)["Aliases"]
        }
        dynamodb = self.client("dynamodb")
        others = {one.region for one in self.deployment.regions} - {self.region}
        pool = self.deployment.user_pool_id
        is_home = pool.partition("_")[0] == self.region
        return {
            ("AWS/ApiGateway", "ApiName"): {api["name"]},
            ("AWS/ApiGateway", "Stage"): {self.stack.stage_name},
            ("AWS/ApiGateway", "Resource"): {path for path, _ in routes()},
            ("AWS/ApiGateway", "Method"): {method for _, method in routes()},
            ("AWS/Lambda", "FunctionName"): set(self.functions),
            ("AWS/Lambda", "Resource"): aliases,
            ("AWS/DynamoDB", "TableName"): {self.deployment.table_name},
            ("AWS/DynamoDB", "GlobalSecondaryIndexName"): self.indexes,
            ("AWS/DynamoDB", "Operation"): set(dynamodb.meta.service_model.operation_names),
            ("AWS/DynamoDB", "ReceivingRegion"): others,
            ("AWS/Cognito", "UserPool"): {pool} if is_home else set(),
            ("AWS/Cognito", "UserPoolClient"): {self.deployment.user_pool_client_id},
            ("AWS/Logs", "LogGroupName"): self.log_groups,
        }

    def _of_the_edge(self) -> Values:
        distributions = self.client("cloudfront").list_distributions()["DistributionList"]
        checks = self.client("route53").list_health_checks()["HealthChecks"]
        return {
            ("AWS/CloudFront", "DistributionId"): {one["Id"] for one in distributions["Items"]},
            ("AWS/CloudFront", "Region"): {"Global"},
            ("AWS/Route53", "HealthCheckId"): {one["Id"] for one in checks},
        }

    def _of_web_acls(self) -> Values:
        scopes = ("REGIONAL", "CLOUDFRONT") if self.region == GLOBAL_REGION else ("REGIONAL",)
        client = self.client("wafv2")
        found = [
            client.get_web_acl(Name=one["Name"], Scope=scope, Id=one["Id"])["WebACL"]
            for scope in scopes
            for one in client.list_web_acls(Scope=scope)["WebACLs"]
        ]
        rules = (rule for one in found for rule in one["Rules"])
        return {
            ("AWS/WAFV2", "WebACL"): {_metric_name(one) for one in found},
            ("AWS/WAFV2", "Rule"): {*ALL_RULES, *(_metric_name(rule) for rule in rules)},
            ("AWS/WAFV2", "Region"): {self.region},
        }


def _metric_name(document: Mapping[str, Any]) -> str:
    name: str = document["VisibilityConfig"]["MetricName"]
    return name


def complaints(named: Named, values: Values) -> Iterator[str]:
    """Say which of a metric's dimensions names something that isn't deployed there."""
    for name, value in named.dimensions:
        there = values.get((named.namespace, name), set())
        if value not in there:
            yield f"{named.where}: no {name} {value} in {named.region}, only {sorted(there)}"
    dimensions = dict(named.dimensions)
    route = dimensions.get("Resource", ""), dimensions.get("Method", "")
    if named.namespace == "AWS/ApiGateway" and "Method" in dimensions and route not in routes():
        yield f"{named.where}: the contract has no {route[1]} {route[0]}"
