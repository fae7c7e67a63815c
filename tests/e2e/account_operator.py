"""What an operator may do beside the API, with the account's own credentials."""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from boto3 import Session
    from mypy_boto3_cognito_idp.client import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_iam.client import IAMClient
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_route53 import Route53Client

    from tests.support.users import Person


@dataclass(frozen=True, slots=True)
class Stack:
    """One Region's part of the deployment, by the names of its resources."""

    region: str
    rest_api_id: str
    stage: str
    function: str
    role: str
    health_role: str


@dataclass(frozen=True, slots=True)
class Operator:
    """AWS clients for one deployment. `endpoint` is None for AWS itself."""

    session: Session
    endpoint: str | None
    home_region: str
    table: str
    stacks: Mapping[str, Stack]

    def dynamodb(self, region: str) -> DynamoDBClient:
        """The table's replica in a Region."""
        return self.session.client("dynamodb", region_name=region, endpoint_url=self.endpoint)

    def cognito(self) -> CognitoIdentityProviderClient:
        """The user pool's Region."""
        return self.session.client(
            "cognito-idp", region_name=self.home_region, endpoint_url=self.endpoint
        )

    def route53(self) -> Route53Client:
        """Route 53, which has no Region."""
        return self.session.client(
            "route53", region_name=self.home_region, endpoint_url=self.endpoint
        )

    def _iam(self) -> IAMClient:
        return self.session.client("iam", region_name=self.home_region, endpoint_url=self.endpoint)

    def _lambda(self, region: str) -> LambdaClient:
        return self.session.client("lambda", region_name=region, endpoint_url=self.endpoint)

    def function_environment(self, region: str) -> Mapping[str, str]:
        """The environment of the Region's function."""
        function = self._lambda(region).get_function_configuration(
            FunctionName=self.stacks[region].function
        )
        return function["Environment"]["Variables"]

    def policies(self, role: str) -> dict[str, dict[str, Any]]:
        """A role's inline policies, by name."""
        iam = self._iam()
        assert not iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        return {
            name: _parsed(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
            for name in names
        }

    @contextmanager
    def policy(self, role: str, name: str, policy: Mapping[str, Any]) -> Iterator[None]:
        """While open, a role has this policy instead."""
        iam = self._iam()
        before = self.policies(role)[name]
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))
        try:
            yield
        finally:
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(before))

    @contextmanager
    def acting_by(self, region: str, policy: Mapping[str, Any]) -> Iterator[DynamoDBClient]:
        """While open, a user who may do what a policy says, at a Region's replica."""
        iam, name = self._iam(), f"e2e-{uuid.uuid4()}"
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="policy", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        try:
            yield self.session.client(
                "dynamodb",
                region_name=region,
                endpoint_url=self.endpoint,
                aws_access_key_id=key["AccessKeyId"],
                aws_secret_access_key=key["SecretAccessKey"],
            )
        finally:
            iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
            iam.delete_user_policy(UserName=name, PolicyName="policy")
            iam.delete_user(UserName=name)

    def allows(self, policy: Mapping[str, Any], action: str, resource: str) -> bool:
        """What IAM says to an action on a resource under one policy."""
        answer = self._iam().simulate_custom_policy(
            PolicyInputList=[json.dumps(policy)], ActionNames=[action], ResourceArns=[resource]
        )
        return answer["EvaluationResults"][0]["EvalDecision"] == "allowed"

    @contextmanager
    def stopped(self, region: str) -> Iterator[None]:
        """While open, Lambda refuses every call of the Region's users' function."""
        client, function = self._lambda(region), self.stacks[region].function
        before = client.get_function_concurrency(FunctionName=function)
        client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
        try:
            yield
        finally:
            if "ReservedConcurrentExecutions" in before:
                client.put_function_concurrency(
                    FunctionName=function,
                    ReservedConcurrentExecutions=before["ReservedConcurrentExecutions"],
                )
            else:
                client.delete_function_concurrency(FunctionName=function)

    @contextmanager
    def throttled(self, region: str) -> Iterator[None]:
        """While open, the Region's stage lets no users' request through."""
        gateway = self.session.client("apigateway", region_name=region, endpoint_url=self.endpoint)
        stack = self.stacks[region]
        names = {"restApiId": stack.rest_api_id, "stageName": stack.stage}
        before = gateway.get_stage(**names)["methodSettings"]["*/*"]

        def limit(rate: float, burst: int) -> None:
            gateway.update_stage(
                **names,
                patchOperations=[
                    {"op": "replace", "path": f"/*/*/throttling/{name}", "value": str(value)}
                    for name, value in (("rateLimit", rate), ("burstLimit", burst))
                ],
            )

        limit(0, 0)
        try:
            yield
        finally:
            limit(before["throttlingRateLimit"], before["throttlingBurstLimit"])

    def rows(self, region: str, person: Person) -> list[dict[str, Any]]:
        """Every row under a person's username, soft-deleted ones and the records included."""
        pages = (
            self.dynamodb(region)
            .get_paginator("query")
            .paginate(
                TableName=self.table,
                KeyConditionExpression="#owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":owner": {"S": person.owner}},
                ConsistentRead=True,
            )
        )
        return [dict(row) for page in pages for row in page["Items"]]

    def leave_a_row(self, region: str, person: Person, sub: str, size: int = 0) -> None:
        """Put something of so many bytes there for an account to delete, whatever it may make."""
        row = {"owner": person.owner, "item_id": str(uuid.uuid4()), "sub": sub, "notes": "x" * size}
        self.dynamodb(region).put_item(
            TableName=self.table, Item={name: {"S": value} for name, value in row.items()}
        )

    def forget(self, person: Person) -> None:
        """Remove every row a person owns, soft-deleted ones included."""
        dynamodb = self.dynamodb(self.home_region)
        for row in self.rows(self.home_region, person):
            dynamodb.delete_item(
                TableName=self.table, Key={"owner": row["owner"], "item_id": row["item_id"]}
            )


def _parsed(document: Any) -> dict[str, Any]:
    return dict(json.loads(document) if isinstance(document, str) else document)
