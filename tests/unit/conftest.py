"""The function against a table in memory: moto, no credentials, no network."""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING

import hypothesis
import pytest
from moto import mock_aws

from items.health import Probe
from items.health_routes import HealthApi
from items.logic import Items
from items.observability import Observer
from items.routes import ItemsApi
from items.settings import Settings
from items.table import Table, request_client
from tests.unit.support import (
    CLIENT_ID,
    MAX_ITEMS,
    ORIGIN,
    REGION,
    STANDBY,
    TABLE,
    Client,
    make_table,
    open_fence,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient


hypothesis.settings.register_profile("unit", hypothesis.settings.default, max_examples=50)
hypothesis.settings.load_profile("unit")


@pytest.fixture
def settings() -> Settings:
    return Settings(
        REGION,
        TABLE,
        "items",
        "landing-test",
        frozenset({ORIGIN}),
        frozenset({CLIENT_ID}),
        MAX_ITEMS,
        STANDBY,
    )


# One for each file: moto begins anew only when no other mock is open, and a process runs the files
# of other suites as well.
@pytest.fixture(scope="module")
def mocked_dynamodb() -> Iterator[DynamoDBClient]:
    with pytest.MonkeyPatch.context() as environment, mock_aws():
        environment.setenv("AWS_ACCESS_KEY_ID", "none")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "none")
        environment.delenv("AWS_ENDPOINT_URL", raising=False)
        yield request_client(REGION)


@pytest.fixture
def dynamodb(mocked_dynamodb: DynamoDBClient) -> Iterator[DynamoDBClient]:
    """Give an empty table with the indexes of the data module, in memory."""
    make_table(mocked_dynamodb)
    yield mocked_dynamodb
    mocked_dynamodb.delete_table(TableName=TABLE)


@pytest.fixture
def api(settings: Settings, dynamodb: DynamoDBClient) -> ItemsApi:
    return ItemsApi(
        settings,
        Items(Table(dynamodb, TABLE), REGION, settings.max_items_per_owner),
        open_fence(),
        Observer(settings),
    )


@pytest.fixture
def health(settings: Settings, dynamodb: DynamoDBClient) -> HealthApi:
    return HealthApi(settings, Probe(dynamodb, TABLE, REGION), Observer(settings))


@pytest.fixture
def client(api: ItemsApi, health: HealthApi) -> Client:
    return Client(api, health)


@pytest.fixture
def log(client: Client) -> Iterator[io.StringIO]:
    """Give what the function logs; its handler keeps the stream that it was made with."""
    stream = io.StringIO()
    handler = logging.getLogger("items").handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    before = handler.setStream(stream)
    yield stream
    handler.setStream(before)
