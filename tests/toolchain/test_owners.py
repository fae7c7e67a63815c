"""Accounts of a pool made anew get what the old one's made."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from items.logic import Items
from items.model import Caller
from items.problems import Problem
from items.table import Table, request_client
from project.console import ToolchainError
from tests.unit.support import ALICE, MAX_ITEMS, REGION, TABLE, make_table
from toolchain import owners

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_dynamodb import DynamoDBClient

FIRST, SECOND, THIRD = (f"5ab00000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
HEADER = "username,old_sub,new_sub\n"


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoDBClient]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = request_client(REGION)
        make_table(client)
        yield client
        # Another mock may be around this one, and keep what is there.
        client.delete_table(TableName=TABLE)


@pytest.fixture
def items(dynamodb: DynamoDBClient) -> Items:
    return Items(Table(dynamodb, TABLE), REGION, MAX_ITEMS)


def me(sub: str) -> Caller:
    return Caller(f"user#{ALICE}", sub)


def listed(items: Items, sub: str) -> list[str]:
    return [item.title for item in items.page(me(sub), None, 10, None).items]


def test_an_account_has_its_items_after_a_pool_was_made_anew_twice(
    items: Items, dynamodb: DynamoDBClient
) -> None:
    items.create(me(FIRST), "a", {"title": "first"})
    assert listed(items, SECOND) == []

    assert owners.accept(dynamodb, TABLE, [owners.owner(ALICE.upper(), FIRST, SECOND)]) == 1
    items.create(me(SECOND), "a", {"title": "second"})
    assert listed(items, SECOND) == ["second", "first"]

    for _ in range(2):  # again changes nothing
        owners.accept(dynamodb, TABLE, [owners.owner(ALICE, SECOND, THIRD)])
    assert listed(items, THIRD) == ["second", "first"]
    assert listed(items, FIRST) == ["first"]


def test_what_was_accepted_counts_for_nobody_else(items: Items, dynamodb: DynamoDBClient) -> None:
    made = items.create(me(FIRST), "a", {"title": "first"}).item
    owners.accept(dynamodb, TABLE, [owners.owner(ALICE, FIRST, SECOND)])

    with pytest.raises(Problem) as refused:
        items.get(me(THIRD), made.id)

    assert refused.value.status == 404


def test_many_people_come_out_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "owners.csv"
    file.write_text(f"\ufeffemail,{HEADER}a@example.com,{ALICE},{FIRST},{SECOND}\n")

    assert owners.read_owners(file) == [owners.Owner(ALICE, FIRST, SECOND)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "must begin with the line: username,old_sub,new_sub"),
        ("username,old,new\n", "must begin with the line"),
        (f"{HEADER}{ALICE},{FIRST},{SECOND}\n{ALICE},{FIRST}\n", "line 3: new_sub is ''"),
        (f"{HEADER}ada,{FIRST},{SECOND}\n", "line 2: username is 'ada', and must be a UUID"),
        (f"{HEADER}{ALICE},{FIRST},{FIRST}\n", "line 2: old_sub and new_sub"),
        ("\xff", "can't be read"),
    ],
)
def test_an_error_in_the_file_is_located(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "owners.csv"
    file.write_bytes(text.encode("latin-1"))

    with pytest.raises(ToolchainError, match=says):
        owners.read_owners(file)


@pytest.mark.parametrize("ids", [[], [ALICE], [ALICE, FIRST, SECOND, THIRD]])
def test_neither_one_person_nor_a_file_is_refused(ids: list[str]) -> None:
    with pytest.raises(ToolchainError, match="username, old sub and new sub"):
        owners.main("local", ids, None)


def test_a_person_and_a_file_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="or --csv FILE"):
        owners.main("local", [ALICE, FIRST, SECOND], tmp_path)


def test_whose_credentials_were_found_first_signs_for_nobody_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """boto3's default session would: it looks once in a process."""
    earlier: Any = boto3.Session(aws_access_key_id="EARLIER", aws_secret_access_key="none")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", earlier)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "TODAYS")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    deployment = SimpleNamespace(primary=SimpleNamespace(region=REGION), table_name=TABLE)
    monkeypatch.setattr(owners, "read_deployment", lambda _account: deployment)
    signed_with: list[str] = []

    def accept(client: Any, _table: str, _owners: object) -> int:
        signed_with.append(client._request_signer._credentials.access_key)
        return 1

    monkeypatch.setattr(owners, "accept", accept)

    owners.main("dev", [ALICE, FIRST, SECOND], None)

    assert signed_with == ["TODAYS"]
