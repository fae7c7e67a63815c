"""What the AWS provider must hash to: one committed lock for each version that an account pins."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from project.account import provider_version
from project.console import ToolchainError, say
from project.paths import Tree, write_atomically
from toolchain import pins

PLATFORMS = tuple(pins.TERRAFORM_SHA256)
LOCK = ".terraform.lock.hcl"


def provider_lock(tree: Tree, version: str) -> Path:
    """Name the lock of one version. The root terragrunt.hcl puts it beside every unit."""
    return tree.root / "live" / "_units" / "provider_locks" / f"aws-{version}.hcl"


def renew(tree: Tree) -> None:
    """Write the locks that are missing, or that don't know every platform.

    Raises ToolchainError when the registry can't be asked.
    """
    accounts = sorted(path.parent.name for path in (tree.root / "live").glob("*/account.hcl"))
    for version in sorted({provider_version(tree, account) for account in accounts}):
        path = provider_lock(tree, version)
        if not _is_whole(path):
            say(f"  {path.relative_to(tree.root)}: asking the registry, which takes minutes")
            write_atomically(path, _from_the_registry(tree, version))


def _is_whole(path: Path) -> bool:
    # A version's sums never change, so one for each platform is all that there is to know.
    return path.is_file() and path.read_text().count('"h1:') >= len(PLATFORMS)


def _from_the_registry(tree: Tree, version: str) -> bytes:
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "main.tf").write_text(
            "terraform {\n  required_providers {\n    aws = {\n"
            f'      source  = "{pins.PROVIDER}"\n      version = "{version}"\n'
            "    }\n  }\n}\n"
        )
        # It ignores mirrors, and checks HashiCorp's signature of what it downloads.
        command = [str(tree.tools_bin / "terraform"), "providers", "lock"]
        command += [f"-platform={platform}" for platform in PLATFORMS]
        done = subprocess.run(command, cwd=scratch, stdout=sys.stderr, check=False)
        if done.returncode != 0:
            raise ToolchainError(
                f"The sums of {pins.PROVIDER} {version} were not renewed: see above. They come "
                f"from {pins.PROVIDER_HOST}; run `make lock` where that can be reached, or pin a "
                f"version that has a lock in {provider_lock(tree, version).parent}."
            )
        return (Path(scratch) / LOCK).read_bytes()
