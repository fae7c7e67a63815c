"""Terragrunt: the machine's own when it fits, else the release, else built from its module."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from project.console import ToolchainError, say
from project.paths import Tree, write_atomically
from toolchain import pins
from toolchain.fetch import UnreachableError, fetch
from toolchain.go_build import GoTool, build
from toolchain.search_path import first_fitting, version_of
from toolchain.terragrunt_shim import SHIM

MODULE = "github.com/gruntwork-io/terragrunt"
TERRAGRUNT = GoTool(
    "Terragrunt",
    pins.TERRAGRUNT,
    MODULE,
    "terragrunt",
    f"{MODULE}/internal/version.Version=v{pins.TERRAGRUNT}",
    "3 to 6 minutes",
    ("put a terragrunt from 1.1 up to 2.0 on PATH",),
)


def install_terragrunt(
    tree: Tree, environment: Mapping[str, str], releases: str = pins.TERRAGRUNT_RELEASES
) -> pins.Version:
    """Put Terragrunt and its shim in place, and return Terragrunt's version.

    Raises ToolchainError when no way to it is open.
    """
    real = tree.real_terragrunt
    version = _version(real)
    if not pins.fits(version, pins.TERRAGRUNT_RANGE):
        _provide(tree, environment, releases)
        version = _version(real)
    if version is None:
        raise ToolchainError(f"{real} does not run. Delete it and run this again.")
    _write_shim(tree.tools_bin / "terragrunt")
    return version


def terragrunt_in_place(tree: Tree) -> bool:
    """Tell whether there is a Terragrunt that fits."""
    return pins.fits(_version(tree.real_terragrunt), pins.TERRAGRUNT_RANGE)


def _version(real: Path) -> pins.Version | None:
    return version_of([str(real), "--version"])


def _provide(tree: Tree, environment: Mapping[str, str], releases: str) -> None:
    real = tree.real_terragrunt
    real.parent.mkdir(parents=True, exist_ok=True)
    path = environment.get("PATH", "")
    found = first_fitting("terragrunt", ["--version"], pins.TERRAGRUNT_RANGE, path)
    if found is not None:
        say(f"  using {found}")
        real.unlink(missing_ok=True)
        real.symlink_to(found.resolve())
        return
    try:
        _download(real, releases)
    except UnreachableError as error:
        say(f"  the release can't be had ({error}); building Terragrunt from its Go module")
        build(TERRAGRUNT, tree, real, environment)


def _download(real: Path, releases: str) -> None:
    platform = pins.platform_name()
    if platform not in pins.TERRAGRUNT_SHA256:
        raise UnreachableError(f"no sum is pinned for {platform}")
    fresh = real.with_name(f".terragrunt.{os.getpid()}")
    url = f"{releases}/v{pins.TERRAGRUNT}/terragrunt_{platform}"
    fetch(url, fresh, pins.TERRAGRUNT_SHA256[platform])
    fresh.chmod(0o755)
    fresh.replace(real)


def _write_shim(path: Path) -> None:
    if not path.is_file() or path.read_bytes() != SHIM.encode():
        write_atomically(path, SHIM.encode(), mode=0o755)
