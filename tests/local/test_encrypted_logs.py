"""A log group's key: one that is there, and that its Region's CloudWatch Logs may use."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError
from ministack.core.responses import request_scope
from ministack.services import cloudwatch_logs

from tests.support.emulator import REGIONS, Emulator

ACCOUNT = "000000000000"
REGION = REGIONS[0]
ROOT = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Resource": "*"}
MISSING = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"


def ministack(action: str, data: dict[str, Any]) -> tuple[int, Any]:
    """Call ministack's own CloudWatch Logs, unpatched."""
    headers = {"x-amz-target": f"Logs_20140328.{action}"}
    with request_scope("111122223333", REGION):
        answer = asyncio.run(
            cloudwatch_logs.handle_request("POST", "/", headers, json.dumps(data).encode(), {})
        )
    return answer[0], json.loads(answer[2] or b"{}")


def test_ministack_still_needs_encrypted_log_groups() -> None:
    group = {"logGroupName": "sealed", "kmsKeyId": MISSING}

    assert ministack("CreateLogGroup", group)[0] == 200, "a key that isn't there is taken"
    assert "Unknown action" in ministack("AssociateKmsKey", group)[1]["message"]


def key(emulator: Emulator, service: str, region: str = REGION, group: str = "*") -> str:
    """Make a key that a service may use for the log groups of a Region; its ARN."""
    arns = f"arn:aws:logs:{region}:{ACCOUNT}:log-group:{group}"
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            ROOT | {"Action": "kms:*"},
            {
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*", "kms:Describe*"],
                "Resource": "*",
                "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arns}},
            },
        ],
    }
    made = emulator.client("kms", REGION).create_key(Policy=json.dumps(policy))
    return str(made["KeyMetadata"]["Arn"])


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(ClientError) as raised:
        yield
    assert raised.value.response["Error"]["Code"] == code


def test_a_key_has_to_be_for_the_log_group(emulator: Emulator) -> None:
    logs = emulator.client("logs", REGION)
    service = f"logs.{REGION}.amazonaws.com"
    unfit = (
        key(emulator, "sns.amazonaws.com"),
        key(emulator, f"logs.{REGIONS[1]}.amazonaws.com"),
        key(emulator, service, REGIONS[1]),
        key(emulator, service, group="another"),
    )

    for arn in unfit:
        with refused("AccessDeniedException"):
            logs.create_log_group(logGroupName="sealed", kmsKeyId=arn)
    with refused("InvalidParameterException"):
        logs.create_log_group(logGroupName="sealed", kmsKeyId=MISSING)

    fit = key(emulator, service, group="sealed")
    logs.create_log_group(logGroupName="sealed", kmsKeyId=fit)
    for arn in unfit:
        with refused("AccessDeniedException"):
            logs.associate_kms_key(logGroupName="sealed", kmsKeyId=arn)
    assert described(logs)["kmsKeyId"] == fit
    logs.disassociate_kms_key(logGroupName="sealed")
    assert "kmsKeyId" not in described(logs)
    logs.associate_kms_key(logGroupName="sealed", kmsKeyId=fit)
    assert described(logs)["kmsKeyId"] == fit

    emulator.client("kms", REGION).disable_key(KeyId=fit)
    with refused("InvalidParameterException"):
        logs.associate_kms_key(logGroupName="sealed", kmsKeyId=fit)
    logs.delete_log_group(logGroupName="sealed")


def described(logs: Any) -> dict[str, Any]:
    (group,) = logs.describe_log_groups(logGroupNamePrefix="sealed")["logGroups"]
    return dict(group)
