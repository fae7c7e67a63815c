"""A client of the emulator, and the small stack that these tests deploy on it."""

import io
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials as RootKey

from local import process
from local.settings import REGISTERED_DOMAIN, REPOSITORY, Settings
from project import resolver
from project.credentials import CONTROL_HEADER, Credentials, credentials_of

REGIONS = ("us-east-1", "us-west-2")
DOMAIN = REGISTERED_DOMAIN
TABLE = "things"

FUNCTION = """
import json, os, socket, time

def subsegment():
    trace = dict(part.split("=") for part in os.environ["_X_AMZN_TRACE_ID"].split(";"))
    host, port = os.environ["AWS_XRAY_DAEMON_ADDRESS"].split(":")
    now = time.time()
    document = {"type": "subsegment", "trace_id": trace["Root"], "parent_id": trace["Parent"],
                "id": os.urandom(8).hex(), "name": "DynamoDB", "namespace": "aws",
                "aws": {"operation": "GetItem", "table_name": "things"},
                "annotations": {"route": "/subsegment"}, "start_time": now, "end_time": now + 0.001}
    datagram = json.dumps({"format": "json", "version": 1}) + "\\n" + json.dumps(document)
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(datagram.encode(), (host, int(port)))

def table():
    import boto3
    from botocore.config import Config
    return boto3.Session().client("dynamodb", config=Config(retries={"max_attempts": 0}))

def handler(event, context):
    if event["path"] == "/slow":
        time.sleep(1.5)  # longer than others wait before one more environment is started
    if event["path"] == "/subsegment":
        subsegment()
    if event["path"] == "/write":
        table().put_item(TableName="things", Item={"owner": {"S": "f"}, "item_id": {"S": "1"}})
    if event["path"] == "/by-index":
        table().query(TableName="things", IndexName="by_created",
                    KeyConditionExpression="#o = :o", ExpressionAttributeNames={"#o": "owner"},
                    ExpressionAttributeValues={":o": {"S": "f"}})
    if event["path"] == "/size":
        answer, got = "x" * int(event["queryStringParameters"]["answer"]), len(event["body"] or "")
        return {"statusCode": 200, "body": answer, "headers": {"x-got": str(got)}}
    answer = {"region": os.environ["AWS_REGION"], "event": event, "environment": dict(os.environ),
              "pid": os.getpid()}
    asked = event.get("queryStringParameters") or {}
    headers = {"x-served-by": "here", **json.loads(asked.get("headers", "{}"))}
    status = int(asked.get("status", 200))
    return {"statusCode": status, "body": json.dumps(answer), "headers": headers}
"""


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator."""

    settings: Settings

    @property
    def credentials(self) -> Credentials:
        """Root's."""
        return credentials_of(self.settings.state_dir)

    @property
    def control(self) -> dict[str, str]:
        """The header that the emulator's own API wants."""
        return {CONTROL_HEADER: self.credentials.control_token}

    def client(self, service: str, region: str = "us-east-1", **more: Any) -> Any:
        """A boto3 client of the control plane, as root unless `more` says otherwise."""
        session: Any = boto3.session.Session()
        known = {
            "aws_access_key_id": self.credentials.access_key_id,
            "aws_secret_access_key": self.credentials.secret_access_key,
            "config": Config(retries={"max_attempts": 0}),
            **more,
        }
        return session.client(
            service,
            region_name=region,
            endpoint_url=self.settings.endpoint,
            **known,
        )

    def signed(
        self, service: str, path: str, body: bytes = b"", method: str = "POST", **headers: str
    ) -> requests.Response:
        """A request to the control plane as root signs it; `_` in headers' names is `-`."""
        url = f"{self.settings.endpoint}{path}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = AWSRequest(method, url, data=body, headers=named)
        root = self.credentials
        known = RootKey(root.access_key_id, root.secret_access_key)
        SigV4Auth(known, service, "us-east-1").add_auth(request)
        return requests.request(method, url, data=body, headers=dict(request.headers), timeout=10)

    def get_method(self, api: str) -> dict[str, str]:
        """Make a REST API whose root has a GET method; how the client addresses that."""
        client = self.client("apigateway")
        made = client.create_rest_api(name=api)["id"]
        root = client.get_resources(restApiId=made)["items"][0]["id"]
        address = {"restApiId": made, "resourceId": root, "httpMethod": "GET"}
        client.put_method(**address, authorizationType="NONE")
        return address

    def request(
        self, name: str, path: str, method: str = "GET", timeout: float = 30, **more: Any
    ) -> requests.Response:
        """A request to the HTTPS endpoint of `name`."""
        with resolver.installed():
            return requests.request(
                method,
                f"https://{name}:{self.settings.https_port}{path}",
                verify=str(self.settings.ca / "ca.pem"),
                timeout=timeout,
                **more,
            )

    def set_lag(self, seconds: float) -> None:
        """Set the replication lag for the writes that follow."""
        answer = requests.post(
            f"{self.settings.endpoint}/_local/replication",
            json={"lag": seconds},
            headers=self.control,
            timeout=5,
        )
        assert answer.status_code == 200, answer.text

    @contextmanager
    def lag(self, seconds: float) -> Iterator[None]:
        """This lag for a while, then the usual one."""
        self.set_lag(seconds)
        try:
            yield
        finally:
            self.set_lag(0.05)

    def status(self) -> dict[str, Any]:
        """The emulator's status document."""
        reported = process.status(self.settings)
        assert reported is not None
        return reported


@dataclass(frozen=True, slots=True)
class Stack:
    """What was deployed."""

    emulator: Emulator
    apis: dict[str, str]

    def get(self, region: str, path: str = "/", **more: Any) -> requests.Response:
        """A request to a Region's API by its own name."""
        return self.emulator.request(f"{region}.{DOMAIN}", path, **more)

    def items(self, region: str, owner: str) -> dict[str, Any]:
        """What a Region's replica holds of one owner: item id → value."""
        table = self.emulator.client("dynamodb", region)
        found = table.query(
            TableName=TABLE,
            KeyConditionExpression="#o = :o",
            ExpressionAttributeNames={"#o": "owner"},
            ExpressionAttributeValues={":o": {"S": owner}},
        )
        return {i["item_id"]["S"]: i.get("value", {}).get("S") for i in found["Items"]}

    def put(self, region: str, owner: str, item_id: str, value: str) -> None:
        """Write one item in a Region."""
        item = {"owner": {"S": owner}, "item_id": {"S": item_id}, "value": {"S": value}}
        self.emulator.client("dynamodb", region).put_item(TableName=TABLE, Item=item)


def eventually(true: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait until a condition holds; fails when it never does."""
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, f"never came true within {seconds} s"
        time.sleep(0.01)


def environment_of(settings: Settings) -> dict[str, str]:
    """What leads `python -m local` to these settings."""
    ports = {name: str(port) for name, port in settings.ports.items()}
    return {**os.environ, **ports, "LOCAL_STATE_DIR": str(settings.state_dir)}


def command(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m local` with these settings."""
    return subprocess.run(
        [sys.executable, "-m", "local", *arguments],
        cwd=REPOSITORY,
        env=environment_of(settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def deploy(emulator: Emulator) -> Stack:
    """Deploy the table and both Regions' APIs."""
    create_table(emulator)
    role = create_role(emulator)
    apis = {region: _create_api(emulator, region, role) for region in REGIONS}
    emulator.set_lag(0.05)
    return Stack(emulator, apis)


def create_table(emulator: Emulator) -> None:
    """A global table with a local secondary index."""
    table = emulator.client("dynamodb")
    attributes = ("owner", "item_id", "listed_at")
    table.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": a, "AttributeType": "S"} for a in attributes],
        KeySchema=_keys("owner", "item_id"),
        LocalSecondaryIndexes=[
            {
                "IndexName": "by_created",
                "KeySchema": _keys("owner", "listed_at"),
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    table.update_table(TableName=TABLE, ReplicaUpdates=[{"Create": {"RegionName": REGIONS[1]}}])


def create_role(emulator: Emulator, *, actions: tuple[str, ...] = ("PutItem",)) -> str:
    """The function's role: these actions on the table, and Query on one index alone."""
    iam = emulator.client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    role = iam.create_role(RoleName="function", AssumeRolePolicyDocument=json.dumps(trust))
    set_policy(emulator, actions)
    arn: str = role["Role"]["Arn"]
    return arn


def set_policy(emulator: Emulator, actions: tuple[str, ...], index: str = "by_created") -> None:
    """Replace what the function's role may do."""
    arns = [f"arn:aws:dynamodb:{region}:000000000000:table/{TABLE}" for region in REGIONS]
    statements: list[dict[str, Any]] = [
        {
            "Effect": "Allow",
            "Action": ["dynamodb:Query"],
            "Resource": [f"{arn}/index/{index}" for arn in arns],
        }
    ]
    if actions:
        named = [f"dynamodb:{action}" for action in actions]
        statements.append({"Effect": "Allow", "Action": named, "Resource": arns})
    document = {"Version": "2012-10-17", "Statement": statements}
    emulator.client("iam").put_role_policy(
        RoleName="function", PolicyName="table", PolicyDocument=json.dumps(document)
    )


def _create_api(emulator: Emulator, region: str, role: str) -> str:
    function = emulator.client("lambda", region).create_function(
        FunctionName="function",
        Runtime="python3.13",
        Role=role,
        Handler="function.handler",
        Timeout=10,
        Code={"ZipFile": _package()},
    )
    gateway = emulator.client("apigateway", region)
    api: str = gateway.create_rest_api(name="things")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    proxy = gateway.create_resource(restApiId=api, parentId=root, pathPart="{proxy+}")["id"]
    for resource in (root, proxy):
        _to_function(gateway, api, resource, function["FunctionArn"], region)
    gateway.create_deployment(restApiId=api, stageName="live")
    _name(gateway, f"{region}.{DOMAIN}", api, region)
    _name(gateway, f"origin.{DOMAIN}", api, region)
    return api


def _to_function(gateway: Any, api: str, resource: str, function: str, region: str) -> None:
    address = {"restApiId": api, "resourceId": resource, "httpMethod": "ANY"}
    gateway.put_method(**address, authorizationType="NONE")
    gateway.put_integration(
        **address,
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations",
    )


def _name(gateway: Any, name: str, api: str, region: str) -> None:
    gateway.create_domain_name(
        domainName=name,
        regionalCertificateArn=f"arn:aws:acm:{region}:000000000000:certificate/1",
        endpointConfiguration={"types": ["REGIONAL"]},
    )
    gateway.create_base_path_mapping(domainName=name, restApiId=api, stage="live")


def _package() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        package.writestr("function.py", FUNCTION)
    return content.getvalue()


def _keys(partition: str, sort: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]
