"""What a key's policy lets CloudWatch Logs do with it: policies as tables, no emulator."""

from typing import Any

import pytest

from local.key_policies import allows

LOGS, GROUP = "logs.us-east-1.amazonaws.com", "arn:aws:logs:us-east-1:1:log-group:a"
CONTEXT = {"kms:EncryptionContext:aws:logs:arn": GROUP}
GROUPS = "arn:aws:logs:us-east-1:1:log-group:*"


def statement(**more: Any) -> dict[str, Any]:
    usual = {"Effect": "Allow", "Principal": {"Service": LOGS}, "Action": ["kms:Decrypt"]}
    return usual | more


def like(arn: str, operator: str = "ArnLike") -> dict[str, Any]:
    return {"Condition": {operator: {"kms:EncryptionContext:aws:logs:arn": arn}}}


@pytest.mark.parametrize(
    ("statements", "may"),
    [
        ([], False),
        ([statement()], True),
        ([statement(Action="kms:*")], True),
        ([statement(Action="kms:Encrypt")], False),
        ([statement(Principal="*")], True),
        ([statement(Principal={"AWS": "arn:aws:iam::1:root"})], False),
        ([statement(Principal={"Service": ["sns.amazonaws.com", LOGS]})], True),
        ([statement(Principal={"Service": "logs.us-west-2.amazonaws.com"})], False),
        ([statement(**like(GROUPS))], True),
        ([statement(**like(GROUPS, "StringLike"))], True),
        ([statement(**like(GROUPS, "StringEquals"))], False),
        ([statement(**like(GROUPS, "ArnNotLike"))], False),
        ([statement(**like(GROUP.replace("-1:", "-2:")))], False),
        ([statement(Condition={"StringEquals": {"aws:SourceAccount": "1"}})], False),
        ([statement(), statement(Effect="Deny")], False),
    ],
)
def test_a_policy_says_who_may_use_the_key_for_what(
    statements: list[dict[str, Any]], may: bool
) -> None:
    assert allows({"Statement": statements}, LOGS, "kms:Decrypt", CONTEXT) is may
