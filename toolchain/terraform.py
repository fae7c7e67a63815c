"""Terraform: the machine's own when it will do, else the pinned release."""

from __future__ import annotations

import os
import tempfile
import zipfile
from pathlib import Path

from project.console import ToolchainError, say
from project.paths import Tree
from toolchain import pins
from toolchain.fetch import UnreachableError, fetch
from toolchain.search_path import first_fitting, version_of


def install_terraform(
    tree: Tree, path: str, releases: str = pins.TERRAFORM_RELEASES
) -> pins.Version:
    """Make .tools/bin/terraform a Terraform that fits, and return its version.

    Raises ToolchainError when there is none and the release can't be had.
    """
    target = tree.tools_bin / "terraform"
    found = first_fitting("terraform", ["version"], pins.TERRAFORM_RANGE, path)
    if found is not None:
        _link(found, target)
    elif not pins.fits(version_of([str(target), "version"]), pins.TERRAFORM_RANGE):
        _download(target, releases)
    version = version_of([str(target), "version"])
    if not pins.fits(version, pins.TERRAFORM_RANGE) or version is None:
        raise ToolchainError(f"{target} does not run. Delete it and run this again.")
    return version


def _link(found: Path, target: Path) -> None:
    if target.is_symlink() and target.readlink() == found:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(found)
    fresh.replace(target)


def _download(target: Path, releases: str) -> None:
    platform = pins.platform_name()
    archive = f"terraform_{pins.TERRAFORM}_{platform}.zip"
    url = f"{releases}/{pins.TERRAFORM}/{archive}"
    if platform not in pins.TERRAFORM_SHA256:
        raise ToolchainError(_by_hand(f"no release is pinned for {platform}"))
    say(f"No Terraform from 1.10 up to 2.0 on PATH; installing {pins.TERRAFORM}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        zipped = Path(scratch) / archive
        try:
            fetch(url, zipped, pins.TERRAFORM_SHA256[platform])
        except UnreachableError as error:
            raise ToolchainError(_by_hand(str(error))) from error
        with zipfile.ZipFile(zipped) as contents:
            binary = Path(contents.extract("terraform", scratch))
        binary.chmod(0o755)
        binary.replace(target)


def _by_hand(reason: str) -> str:
    return (
        f"Terraform is needed and could not be installed: {reason}.\n"
        "Put any Terraform from 1.10 up to (not including) 2.0 on PATH, then run this again."
    )
