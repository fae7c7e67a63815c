"""The deployed system that a drill is about, and the ways to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from drills.targets import Targets
from project.account import LOCAL, Account
from project.deployment import Deployment

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_route53 import Route53Client

# A Region may be gone: nothing waits for it for long.
QUICK = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 3})


@dataclass(frozen=True, slots=True)
class System:
    """One account's deployment, its targets, and clients of AWS by the caller's credentials."""

    account: Account
    deployment: Deployment
    targets: Targets
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False)

    @property
    def on_emulator(self) -> bool:
        """Whether it is the embedded AWS."""
        return self.account.name == LOCAL

    @property
    def primary(self) -> str:
        """The Region that serves when nothing is wrong."""
        return self.deployment.primary.region

    @property
    def standby(self) -> str:
        """The Region that stands by."""
        return self.deployment.standby.region

    @property
    def regions(self) -> tuple[str, str]:
        """Both, the primary first."""
        return self.primary, self.standby

    def dynamodb(self, region: str) -> DynamoDBClient:
        """A Region's own replica of the table."""
        client: DynamoDBClient = self._client("dynamodb", region)
        return client

    def functions(self, region: str) -> LambdaClient:
        """A Region's functions."""
        client: LambdaClient = self._client("lambda", region)
        return client

    def cognito(self) -> CognitoIdentityProviderClient:
        """The user pool, in its own Region."""
        region = self.deployment.user_pool_id.partition("_")[0]
        client: CognitoIdentityProviderClient = self._client("cognito-idp", region)
        return client

    def iam(self) -> IAMClient:
        """IAM, which has no Region."""
        client: IAMClient = self._client("iam", "us-east-1")
        return client

    def cloudwatch(self, region: str) -> CloudWatchClient:
        """A Region's alarms."""
        client: CloudWatchClient = self._client("cloudwatch", region)
        return client

    def route53(self) -> Route53Client:
        """Route 53, which has no Region."""
        client: Route53Client = self._client("route53", "us-east-1")
        return client

    def fis(self, region: str) -> Any:  # noqa: ANN401 - its types aren't among those installed
        """A Region's fault injection service."""
        return self._client("fis", region)

    def _client(self, service: str, region: str) -> Any:  # noqa: ANN401 - one type a service
        key = (service, region)
        if key not in self._clients:
            session: Any = boto3.session.Session()
            self._clients[key] = session.client(service, region_name=region, config=QUICK)
        return self._clients[key]
