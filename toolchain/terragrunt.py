"""Terragrunt: the machine's own when it fits, else the release, else built from its module."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from project.console import Progress, ToolchainError, say
from project.paths import Tree, write_atomically
from toolchain import pins
from toolchain.fetch import UnreachableError, fetch
from toolchain.search_path import first_fitting, version_of
from toolchain.terragrunt_shim import SHIM

MODULE = "github.com/gruntwork-io/terragrunt"
# The first Go that fetches a newer toolchain by itself when a module asks for one.
GO_AT_LEAST = (1, 21, 0)


def install_terragrunt(
    tree: Tree, environment: Mapping[str, str], releases: str = pins.TERRAGRUNT_RELEASES
) -> pins.Version:
    """Put Terragrunt and its shim in place, and return Terragrunt's version.

    Raises ToolchainError when no way to it is open.
    """
    real = tree.real_terragrunt
    version = version_of([str(real), "--version"])
    if not pins.fits(version, pins.TERRAGRUNT_RANGE):
        _provide(tree, environment, releases)
        version = version_of([str(real), "--version"])
    if version is None:
        raise ToolchainError(f"{real} does not run. Delete it and run this again.")
    _write_shim(tree.tools_bin / "terragrunt")
    return version


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
        build(tree, environment)


def _download(real: Path, releases: str) -> None:
    platform = pins.platform_name()
    if platform not in pins.TERRAGRUNT_SHA256:
        raise UnreachableError(f"no sum is pinned for {platform}")
    fresh = real.with_name(f".terragrunt.{os.getpid()}")
    url = f"{releases}/v{pins.TERRAGRUNT}/terragrunt_{platform}"
    fetch(url, fresh, pins.TERRAGRUNT_SHA256[platform])
    fresh.chmod(0o755)
    fresh.replace(real)


def build(tree: Tree, environment: Mapping[str, str]) -> None:
    """Build Terragrunt from toolchain/terragrunt: minutes on two cores, with progress.

    Raises ToolchainError without a Go that can, or with the compiler's last words.
    """
    go = _go(environment.get("PATH", ""))
    # go.sum says what every module must hash to. A workspace, or a flag of the person's own, could
    # put others in their place.
    own = {"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false -mod=readonly", "GOWORK": "off"}
    settings = {**environment, **own}
    module = tree.root / "toolchain" / "terragrunt"
    total = _packages(go, module, settings)
    fresh = tree.real_terragrunt.with_name(f".terragrunt.{os.getpid()}")
    named = f"-X {MODULE}/internal/version.Version=v{pins.TERRAGRUNT}"
    command = [go, "build", "-v", "-trimpath", "-ldflags", f"-s -w {named}", "-o", str(fresh)]
    compiled = 0
    try:
        with Progress("building Terragrunt (once, 3 to 6 minutes)") as progress:

            def count(line: str) -> None:
                nonlocal compiled
                compiled += 1
                progress.show(f"{compiled} of {total} packages compiled, now {line}")

            _follow([*command, MODULE], module, settings, count)
            progress.show(f"{compiled} packages compiled and linked")
        fresh.replace(tree.real_terragrunt)
    finally:
        fresh.unlink(missing_ok=True)


def _go(path: str) -> str:
    go = shutil.which("go", path=path)
    version = version_of([go, "version"]) if go else None
    if go is None or version is None or version < GO_AT_LEAST:
        raise ToolchainError(
            f"Terragrunt {pins.TERRAGRUNT} is needed. Its release could not be downloaded, and "
            "there is no Go 1.21 or later to build it with. Any one of these helps:\n"
            "  - let this machine reach the release's address (set https_proxy if there is a proxy)"
            "\n  - install Go, and have it on PATH"
            "\n  - put a terragrunt from 1.1 up to 2.0 on PATH"
        )
    return go


def _packages(go: str, module: Path, settings: Mapping[str, str]) -> int:
    modules = packages = 0
    with Progress("fetching Terragrunt's modules") as progress:

        def count(line: str) -> None:
            nonlocal modules, packages
            fetched = line.startswith("go: downloading ")
            modules += fetched
            packages += not fetched
            progress.show(f"{modules} fetched, {packages} packages to compile")

        _follow([go, "list", "-deps", MODULE], module, settings, count)
    return packages


def _follow(
    command: Sequence[str], module: Path, settings: Mapping[str, str], seen: Callable[[str], None]
) -> None:
    last: list[str] = []
    with subprocess.Popen(
        command,
        cwd=module,
        env=settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            last = [*last[-19:], line.rstrip()]
            seen(line.strip())
    if running.returncode != 0:
        raise ToolchainError("Building Terragrunt failed:\n  " + "\n  ".join(last))


def _write_shim(path: Path) -> None:
    if not path.is_file() or path.read_bytes() != SHIM.encode():
        write_atomically(path, SHIM.encode(), mode=0o755)
