"""AWS in memory: the real function's table, a Region's two functions, no credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from tests.unit.support import TABLE, make_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

REGION = "us-east-1"


@pytest.fixture(scope="module")
def mocked() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment, mock_aws():
        environment.setenv("AWS_ACCESS_KEY_ID", "none")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "none")
        environment.delenv("AWS_ENDPOINT_URL", raising=False)
        yield


@pytest.fixture
def table(mocked: None) -> Iterator[DynamoDBClient]:
    """Give an empty table with the indexes of the data module."""
    del mocked
    client: DynamoDBClient = boto3.session.Session().client("dynamodb", region_name=REGION)
    make_table(client)
    yield client
    client.delete_table(TableName=TABLE)
