"""An API whose numbers no other test touches, and what CloudWatch says of it."""

import io
import json
import re
import time
import zipfile
from dataclasses import dataclass
from typing import Any

import requests

from local.settings import REPOSITORY
from tests.support.emulator import DOMAIN, REGIONS, Emulator, Stack

REGION = REGIONS[0]
NAME = f"measured.{DOMAIN}"
API, STAGE, FUNCTION, ALIAS = "measured", "live", "measured", "current"
ACCESS_GROUP = "/measured/access"
PASSWORD = "a Long-enough 1"

CODE = """
import json, time, boto3
from botocore.config import Config

def emf():
    metric = {"Namespace": "measured", "Dimensions": [["service", "region"]],
              "Metrics": [{"Name": "ItemsCreated", "Unit": "Count"}]}
    return {"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [metric]},
            "service": "api", "region": "here", "ItemsCreated": 2}

def write(condition):
    table = boto3.Session().client("dynamodb", config=Config(retries={"max_attempts": 0}))
    try:
        table.put_item(TableName="things", Item={"owner": {"S": "m"}, "item_id": {"S": "1"}},
                       **({"ConditionExpression": condition} if condition else {}))
    except table.exceptions.ConditionalCheckFailedException:
        return 412
    except table.exceptions.InternalServerError:
        return 503
    return 200

def handler(event, context):
    query = event.get("queryStringParameters") or {}
    if query.get("raise"):
        raise RuntimeError('"quoted"')
    if query.get("emf"):
        print(json.dumps(emf()))
    if query.get("sleep"):
        time.sleep(float(query["sleep"]))
    status = int(query.get("status", 200))
    if query.get("write"):
        status = write(query.get("condition"))
    print(json.dumps({"message": "answering", "status": status}))
    return {"statusCode": status, "body": context.aws_request_id}
"""


def access_log_fields() -> dict[str, str]:
    """The fields of the stage's access log that modules/api deploys, those of its own apart."""
    text = (REPOSITORY / "modules/api/logs.tf").read_text()
    return dict(re.findall(r'(\w+)\s+= "(\$context\.[\w.]+)"', text))


@dataclass(frozen=True, slots=True)
class Measured:
    """The API, and a user pool whose users may call /private."""

    emulator: Emulator
    api_id: str
    pool: str
    client: str

    def get(self, path: str, **more: Any) -> requests.Response:
        """A request through the API's own name."""
        return self.emulator.request(NAME, path, **more)

    def total(
        self, namespace: str, name: str, stat: str = "Sum", *, of: str = REGION, **dimensions: str
    ) -> float:
        """One statistic over the last half hour; 0 where there is no data point."""
        found = self.points(namespace, name, stat, of=of, **dimensions)
        return found[0] if found else 0.0

    def points(
        self, namespace: str, name: str, stat: str, *, of: str = REGION, **dimensions: str
    ) -> list[float]:
        """The same, and nothing where there is nothing; `of` is the Region that is asked."""
        metric = {
            "Namespace": namespace,
            "MetricName": name,
            "Dimensions": [{"Name": n, "Value": v} for n, v in dimensions.items()],
        }
        query = {"Id": "m", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": stat}}
        now = time.time()
        read = self.emulator.client("cloudwatch", of).get_metric_data(
            MetricDataQueries=[query], StartTime=now - 1800, EndTime=now + 60
        )
        values: list[float] = read["MetricDataResults"][0]["Values"]
        return values

    def route(self, name: str, resource: str, method: str = "GET", stat: str = "Sum") -> float:
        """A metric of one method."""
        return self.total(
            "AWS/ApiGateway", name, stat,
            ApiName=API, Stage=STAGE, Resource=resource, Method=method,
        )  # fmt: skip

    def stage(self, name: str, stat: str = "Sum") -> float:
        """A metric of the whole stage."""
        return self.total("AWS/ApiGateway", name, stat, ApiName=API, Stage=STAGE)

    def function(self, name: str, stat: str = "Sum", **more: str) -> float:
        """A metric of the function."""
        return self.total("AWS/Lambda", name, stat, FunctionName=FUNCTION, **more)

    def lines(self, group: str, region: str = REGION) -> list[str]:
        """Every event of a log group."""
        read = self.emulator.client("logs", region).get_paginator("filter_log_events")
        pages = read.paginate(logGroupName=group)
        return [event["message"] for page in pages for event in page["events"]]

    def access_line(self, answer: requests.Response) -> dict[str, str]:
        """The stage's line about one request."""
        request_id = answer.headers["x-amzn-requestid"]
        found = [json.loads(line) for line in self.lines(ACCESS_GROUP)]
        (line,) = [line for line in found if line["requestId"] == request_id]
        return dict(line)

    def token(self, username: str = "") -> str:
        """An access token of a new user, by any name unless one is given."""
        identity = self.emulator.client("cognito-idp")
        username = username or f"user-{time.monotonic_ns()}"
        identity.admin_create_user(UserPoolId=self.pool, Username=username)
        identity.admin_set_user_password(
            UserPoolId=self.pool, Username=username, Password=PASSWORD, Permanent=True
        )
        signed_in = self.sign_in(username, PASSWORD)
        token: str = signed_in["AuthenticationResult"]["AccessToken"]
        return token

    def sign_in(self, username: str, password: str) -> dict[str, Any]:
        """Sign a user in."""
        answer: dict[str, Any] = self.emulator.client("cognito-idp").initiate_auth(
            ClientId=self.client,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": username, "PASSWORD": password},
        )
        return answer


def deploy_measured(stack: Stack) -> Measured:
    """Deploy the function, its API with metrics and an access log, and the user pool."""
    emulator = stack.emulator
    identity = emulator.client("cognito-idp")
    pool = identity.create_user_pool(PoolName="measured")["UserPool"]
    client = identity.create_user_pool_client(
        UserPoolId=pool["Id"],
        ClientName="app",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]["ClientId"]
    emulator.client("logs").create_log_group(logGroupName=ACCESS_GROUP)
    api_id = _api(emulator, _function(emulator), pool["Arn"])
    return Measured(emulator, api_id, pool["Id"], client)


def package(status: int = 200) -> bytes:
    """The function's package, which answers this status unless it is asked for another."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("measured.py", CODE.replace(", 200))", f", {status}))"))
    return content.getvalue()


def _function(emulator: Emulator) -> str:
    """The alias' ARN."""
    functions = emulator.client("lambda")
    functions.create_function(
        FunctionName=FUNCTION,
        Runtime="python3.13",
        Role=emulator.client("iam").get_role(RoleName="function")["Role"]["Arn"],
        Handler="measured.handler",
        Timeout=10,
        Code={"ZipFile": package()},
    )
    version = functions.publish_version(FunctionName=FUNCTION)["Version"]
    alias: str = functions.create_alias(FunctionName=FUNCTION, Name=ALIAS, FunctionVersion=version)[
        "AliasArn"
    ]
    return alias


def _api(emulator: Emulator, function: str, pool: str) -> str:
    gateway = emulator.client("apigateway")
    api: str = gateway.create_rest_api(name=API)["id"]
    authorizer = gateway.create_authorizer(
        restApiId=api,
        name="users",
        type="COGNITO_USER_POOLS",
        providerARNs=[pool],
        identitySource="method.request.header.Authorization",
    )["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    for path in ("items/{id}", "health", "private"):
        parent = root
        for part in path.split("/"):
            parent = gateway.create_resource(restApiId=api, parentId=parent, pathPart=part)["id"]
        _method(gateway, {"restApiId": api, "resourceId": parent, "httpMethod": "GET"}, function,
                authorizer if path == "private" else None)  # fmt: skip
    deployment = gateway.create_deployment(restApiId=api)["id"]
    gateway.create_stage(restApiId=api, stageName=STAGE, deploymentId=deployment)
    form = json.dumps({"region": REGION, **access_log_fields()})
    patches = {
        "/*/*/metrics/enabled": "true",
        "/accessLogSettings/destinationArn": (
            f"arn:aws:logs:{REGION}:000000000000:log-group:{ACCESS_GROUP}"
        ),
        "/accessLogSettings/format": form,
    }
    gateway.update_stage(
        restApiId=api,
        stageName=STAGE,
        patchOperations=[
            {"op": "replace", "path": path, "value": value} for path, value in patches.items()
        ],
    )
    gateway.create_domain_name(
        domainName=NAME,
        regionalCertificateArn=f"arn:aws:acm:{REGION}:000000000000:certificate/1",
        endpointConfiguration={"types": ["REGIONAL"]},
    )
    gateway.create_base_path_mapping(domainName=NAME, restApiId=api, stage=STAGE)
    return api


def _method(gateway: Any, address: dict[str, str], function: str, authorizer: str | None) -> None:
    guard = {"authorizationType": "COGNITO_USER_POOLS", "authorizerId": authorizer,
             "authorizationScopes": ["aws.cognito.signin.user.admin"]}  # fmt: skip
    gateway.put_method(**address, **(guard if authorizer else {"authorizationType": "NONE"}))
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations"
    gateway.put_integration(**address, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
