"""Packages with one deliberate edit, published as Terraform does it; then all is as it was."""

from __future__ import annotations

import hashlib
import io
import zipfile
from base64 import b64encode
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from project.paths import TREE
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_lambda.client import LambdaClient

ALIAS = "live"
# An update of a function takes Lambda seconds.
UPDATE_SECONDS = 60.0

Row = Any  # botocore's attribute values


@dataclass(frozen=True, slots=True)
class Edit:
    """A place in one of the function's files, and what is to stand there instead."""

    file: str
    before: str
    after: str


def edited(package: bytes, edit: Edit) -> bytes:
    """Make another package of one; the edited file is packed as source alone."""
    content = io.BytesIO()
    compiled = PurePosixPath(edit.file).stem + "."
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(content, "w") as new:
        for entry in old.infolist():
            path = PurePosixPath(entry.filename)
            if path.parent.name == "__pycache__" and path.name.startswith(compiled):
                continue
            text = old.read(entry)
            if entry.filename == edit.file:
                assert text.count(edit.before.encode()) == 1, f"{edit.file} has been changed"
                text = text.replace(edit.before.encode(), edit.after.encode())
            new.writestr(entry, text, zipfile.ZIP_DEFLATED)
    return content.getvalue()


@dataclass(frozen=True, slots=True)
class Functions:
    """A Region's functions, of one package, and the rows that its releases write."""

    client: LambdaClient
    names: tuple[str, ...]
    dynamodb: DynamoDBClient
    table: str
    region: str

    def publish(self, package: bytes) -> dict[str, str]:
        """Give every function this package, and publish it; the versions, by function."""
        self._update(package)
        return {
            name: self.client.publish_version(FunctionName=name)["Version"] for name in self.names
        }

    def serving(self) -> dict[str, tuple[str, Mapping[str, float]]]:
        """Where each function's alias leads: its version, and the weights of another."""
        found: dict[str, tuple[str, Mapping[str, float]]] = {}
        for name in self.names:
            alias = self.client.get_alias(FunctionName=name, Name=ALIAS)
            weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
            found[name] = (alias["FunctionVersion"], weights)
        return found

    @contextmanager
    def as_before(self, package: bytes) -> Iterator[None]:
        """Put back code, versions, aliases and rows, whatever becomes of them meanwhile."""
        digest = b64encode(hashlib.sha256(package).digest()).decode()
        for name in self.names:
            deployed = self.client.get_function_configuration(FunctionName=name)["CodeSha256"]
            assert deployed == digest, "what is deployed is another package: run `make up`"
        versions, serving, rows = self._versions(), self.serving(), self._rows()
        try:
            yield
        finally:
            for name, (version, _) in serving.items():
                self.client.update_alias(
                    FunctionName=name, Name=ALIAS, FunctionVersion=version, RoutingConfig={}
                )
            self._update(package)
            for name, found in self._versions().items():
                for version in found - versions[name]:
                    self.client.delete_function(FunctionName=name, Qualifier=version)
            self._restore(rows)

    def _update(self, package: bytes) -> None:
        for name in self.names:
            self.client.update_function_code(FunctionName=name, ZipFile=package)
        for name in self.names:
            eventually(
                lambda name=name: self.client.get_function_configuration(  # type: ignore[misc]
                    FunctionName=name
                ),
                lambda found: found["LastUpdateStatus"] == "Successful",
                within=UPDATE_SECONDS,
            )

    def _versions(self) -> dict[str, set[str]]:
        """The published versions of each function."""
        pages = self.client.get_paginator("list_versions_by_function")
        return {
            name: {
                version["Version"]
                for page in pages.paginate(FunctionName=name)
                for version in page["Versions"]
                if version["Version"].isdecimal()
            }
            for name in self.names
        }

    def _rows(self) -> list[Row]:
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="#owner = :owner",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":owner": {"S": f"release#{self.region}"}},
            ConsistentRead=True,
        )
        return [item for page in pages for item in page["Items"]]

    def _restore(self, rows: list[Row]) -> None:
        kept = [row["item_id"] for row in rows]
        for row in self._rows():
            if row["item_id"] not in kept:
                key = {name: row[name] for name in ("owner", "item_id")}
                self.dynamodb.delete_item(TableName=self.table, Key=key)
        for row in rows:
            self.dynamodb.put_item(TableName=self.table, Item=row)


def deployed_package() -> bytes:
    """What both functions run: as the toolchain has built it."""
    return TREE.package.read_bytes()
