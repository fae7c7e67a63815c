"""Plans that are kept to be approved and applied as they are, each by what it holds.

A kept plan is one file, an uncompressed tar of every unit's saved plan and a manifest, and its
sha256 is its name: whoever approves a name approves those bytes. It holds secrets as the state does
(the origin key among them), and so is kept where the state is, and never as a build's artifact.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import re
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from project.account import LOCAL, read_settings
from project.console import ToolchainError
from project.paths import Tree, write_atomically

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NAME = re.compile(r"[0-9a-f]{64}")
MANIFEST = "manifest.json"
# Below it, in the state's bucket.
PREFIX = "plans"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a kept plan is of: units are in no order, `package` is the Lambda package's sha256."""

    account: str
    commit: str
    package: str
    units: tuple[str, ...]

    def to_json(self) -> str:
        """Write it so that the same manifest is the same text."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, indent=2)

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read what to_json wrote."""
        fields: dict[str, Any] = json.loads(text)
        return cls(**{**fields, "units": tuple(fields["units"])})


def pack(manifest: Manifest, folder: Path, names: Sequence[str]) -> bytes:
    """Put a manifest and files of a folder into one, the same bytes from the same files."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        _add(archive, MANIFEST, manifest.to_json().encode())
        for name in sorted(names):
            _add(archive, name, (folder / name).read_bytes())
    return written.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    member.mode = 0o600
    archive.addfile(member, io.BytesIO(content))


def unpack(content: bytes, folder: Path) -> Manifest:
    """Lay the files of a kept plan into a folder, which only its owner can read."""
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(folder, filter="data")
    return Manifest.from_json((folder / MANIFEST).read_text())


def name_of(content: bytes) -> str:
    """Name a kept plan by what it holds."""
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where plans of an account are kept: on this machine, and where it has one, in its bucket."""

    folder: Path
    bucket: str
    region: str

    def keep(self, content: bytes, s3: S3Client | None) -> str:
        """Keep a plan here, and in the bucket if there is a client for it; return its name."""
        name = name_of(content)
        write_atomically(self._file(name), content, 0o600)
        if s3 is not None:
            s3.put_object(Bucket=self.bucket, Key=_key(name), Body=content)
        return name

    def fetch(self, name: str, s3: S3Client | None) -> bytes:
        """Read a plan by its name.

        Raises ToolchainError for what is no name, isn't kept, or holds something else.
        """
        if not NAME.fullmatch(name):
            raise ToolchainError(f"PLAN={name} is no plan's name: `make plan` says it at its end.")
        content = self._read(name, s3)
        if name_of(content) != name:
            raise ToolchainError(f"What is kept as {name} isn't what was planned: plan again.")
        return content

    def forget(self, name: str, s3: S3Client | None) -> None:
        """Remove a plan that was applied: it is stale from then on, and holds secrets."""
        self._file(name).unlink(missing_ok=True)
        if s3 is not None:
            s3.delete_object(Bucket=self.bucket, Key=_key(name))

    def _read(self, name: str, s3: S3Client | None) -> bytes:
        if self._file(name).is_file():
            return self._file(name).read_bytes()
        if s3 is None:
            raise ToolchainError(f"No plan {name} is kept here: `make plan` makes one.")
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as below

        try:
            return s3.get_object(Bucket=self.bucket, Key=_key(name))["Body"].read()
        except (BotoCoreError, ClientError) as error:
            raise ToolchainError(
                f"The plan {name} can't be read in {self.bucket}: {error}\n"
                "One that was applied is gone. Plan again, with KEEP=1 where another machine is to "
                "apply it."
            ) from error

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.tar"


def _key(name: str) -> str:
    return f"{PREFIX}/{name}.tar"


def shelf_of(tree: Tree, account: str) -> Shelf:
    """Say where an account's plans are kept: its bucket is that of its state."""
    settings: Mapping[str, Any] = read_settings(tree, account)
    region = str(settings.get("state_region", ""))
    return Shelf(
        folder=tree.root / ".build" / "plans" / account,
        bucket=f"{settings['project']}-tfstate-{settings['account_id']}-{region}",
        region=region,
    )


def client_for(shelf: Shelf, account: str) -> S3Client | None:
    """Make a client for an account's bucket; None for the embedded AWS, whose state is a file."""
    if account == LOCAL:
        return None
    # Half a second that nothing else here has a use for.
    import boto3  # noqa: PLC0415

    return boto3.Session().client("s3", region_name=shelf.region)
