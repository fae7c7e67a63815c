"""IAM is enforced: functions act as their role, and only the local root is root."""

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from tests.support.emulator import Emulator, Stack, set_policy


@pytest.fixture
def usual_policy(stack: Stack) -> Iterator[None]:
    yield
    set_policy(stack.emulator, ("PutItem",))


@pytest.mark.usefixtures("usual_policy")
def test_a_function_may_do_what_its_role_allows_and_nothing_else(stack: Stack) -> None:
    assert stack.get("us-east-1", "/write").status_code == 200

    set_policy(stack.emulator, ("GetItem",))

    assert stack.get("us-east-1", "/write").status_code == 502


@pytest.mark.usefixtures("usual_policy")
def test_query_on_an_index_needs_the_right_to_that_index(stack: Stack) -> None:
    assert stack.get("us-east-1", "/by-index").status_code == 200

    set_policy(stack.emulator, ("Query", "PutItem"), index="another")

    assert stack.get("us-east-1", "/by-index").status_code == 502


def test_the_local_key_is_root_of_the_local_account(emulator: Emulator) -> None:
    caller = emulator.client("sts").get_caller_identity()

    assert caller["Arn"] == "arn:aws:iam::000000000000:root"


def test_an_unknown_key_is_refused(emulator: Emulator) -> None:
    stranger = emulator.client(
        "dynamodb",
        aws_access_key_id="AKIAREALREALREALREAL",
        aws_secret_access_key="real-secret",
    )

    with pytest.raises(ClientError) as refused:
        stranger.list_tables()

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)


def test_x_ray_is_under_iam_as_well(emulator: Emulator) -> None:
    iam = emulator.client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    nobody = emulator.client(
        "xray",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )

    with pytest.raises(ClientError) as refused:
        nobody.put_trace_segments(TraceSegmentDocuments=["{}"])

    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
