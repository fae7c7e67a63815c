"""Says that accounts of a pool made anew are the old pool's: what those made becomes theirs.

An item belongs to the account (`sub`) that made it, since a username can be freed and taken by
somebody else. A pool that is made anew gives everybody a new `sub`; this writes, beside an owner's
items, which old one is the same person's. The function reads it and may not write it.
"""

from __future__ import annotations

import csv
import os
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from project.account import LOCAL
from project.console import ToolchainError, say
from project.deployment import read_deployment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from mypy_boto3_dynamodb import DynamoDBClient

COLUMNS = ("username", "old_sub", "new_sub")


@dataclass(frozen=True, slots=True)
class Owner:
    """One person: the username, in lower case, and the account before and after."""

    username: str
    old_sub: str
    new_sub: str

    @property
    def partition(self) -> str:
        """The table's key of all that is under the username."""
        return f"user#{self.username}"


def owner(username: str, old_sub: str, new_sub: str) -> Owner:
    """Check one person's three ids; ToolchainError that names what is wrong."""
    given = Owner(username.strip().lower(), old_sub.strip(), new_sub.strip())
    for name in COLUMNS:
        if not _is_uuid(getattr(given, name)):
            raise ToolchainError(
                f"{name} is {getattr(given, name)!r}, and must be a UUID, as in "
                "`aws cognito-idp list-users`."
            )
    if given.old_sub == given.new_sub:
        raise ToolchainError(
            f"old_sub and new_sub of {username} are the same: what that account made is its own."
        )
    return given


def read_owners(file: Path) -> list[Owner]:
    """Read a CSV with the columns username, old_sub, new_sub; ToolchainError names a wrong line."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            rows = csv.DictReader(lines)
            if not set(COLUMNS) <= set(rows.fieldnames or ()):
                raise ToolchainError(f"{file} must begin with the line: {','.join(COLUMNS)}")
            return [_of_row(file, rows.line_num, row) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ToolchainError(f"{file} can't be read: {error}") from error


def accept(client: DynamoDBClient, table: str, owners: Iterable[Owner]) -> int:
    """Write that old accounts are the new ones', and how many; to do it again changes nothing.

    What the old account had itself taken over from one before goes along.
    """
    count = 0
    for one in owners:
        before = client.get_item(
            TableName=table, Key=_key(one.partition, one.old_sub), ConsistentRead=True
        )
        earlier = before.get("Item", {}).get("accepted_subs", {}).get("SS", ())
        client.update_item(
            TableName=table,
            Key=_key(one.partition, one.new_sub),
            UpdateExpression="ADD accepted_subs :subs",
            ExpressionAttributeValues={":subs": {"SS": sorted({one.old_sub, *earlier})}},
        )
        count += 1
    return count


def main(account: str, ids: Sequence[str], file: Path | None) -> None:
    """Accept one person, by three ids, or all of a CSV.

    Everything is checked before anything is written. Raises ToolchainError when ids are wrong, or
    the table can't be written with these credentials; what was written by then stays, and the same
    command goes on.
    """
    import boto3  # noqa: PLC0415 - only in the locked environment, which install runs without
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    if (file is None) == (not ids) or (ids and len(ids) != len(COLUMNS)):
        raise ToolchainError("Give username, old sub and new sub of one person, or --csv FILE.")
    owners = read_owners(file) if file else [owner(*ids)]
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    deployment = read_deployment(account)
    client = boto3.Session().client("dynamodb", region_name=deployment.primary.region)
    try:
        count = accept(client, deployment.table_name, owners)
    except (BotoCoreError, ClientError) as error:
        do = "make start" if account == LOCAL else "sign in to that account first"
        raise ToolchainError(f"The table can't be written ({do}?): {error}") from error
    say(f"{count} accounts have the items of those before them.")


def _of_row(file: Path, line: int, row: dict[str, str | None]) -> Owner:
    try:
        return owner(*(row[name] or "" for name in COLUMNS))
    except ToolchainError as error:
        raise ToolchainError(f"{file}, line {line}: {error}") from None


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _key(partition: str, sub: str) -> dict[str, dict[str, str]]:
    return {"owner": {"S": partition}, "item_id": {"S": f"owner#{sub}"}}
