"""Builds a tool from its Go module, where its published release can't be had."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from project.console import Progress, ToolchainError
from project.paths import Tree
from toolchain.search_path import version_of

# The first Go that fetches a newer toolchain by itself when a module asks for one.
GO_AT_LEAST = (1, 21, 0)


@dataclass(frozen=True, slots=True)
class GoTool:
    """A program of a Go module, which toolchain/<folder>/go.mod pins with all that it needs."""

    title: str
    version: str
    package: str
    folder: str
    # Where the program keeps its version: a variable that the linker sets, and what to.
    stamp: str
    # How long it takes on two cores, for the person who waits.
    lasts: str
    # What else helps where there is no Go, one line each.
    instead: tuple[str, ...] = ()


def build(tool: GoTool, tree: Tree, target: Path, environment: Mapping[str, str]) -> None:
    """Build a tool into a file, with progress.

    Raises ToolchainError without a Go that can, or with the compiler's last words.
    """
    go = _go(tool, environment.get("PATH", ""))
    # go.sum says what every module must hash to. A workspace, or a flag of the person's own, could
    # put others in their place.
    own = {"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false -mod=readonly", "GOWORK": "off"}
    settings = {**environment, **own}
    module = tree.root / "toolchain" / tool.folder
    total = _packages(go, tool, module, settings)
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    flags = f"-s -w -X {tool.stamp}"
    command = [go, "build", "-v", "-trimpath", "-ldflags", flags, "-o", str(fresh), tool.package]
    compiled = 0
    try:
        with Progress(f"building {tool.title} (once, {tool.lasts})") as progress:

            def count(line: str) -> None:
                nonlocal compiled
                compiled += 1
                progress.show(f"{compiled} of {total} packages compiled, now {line}")

            _follow(tool, command, module, settings, count)
            progress.show(f"{compiled} packages compiled and linked")
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


def _go(tool: GoTool, path: str) -> str:
    go = shutil.which("go", path=path)
    version = version_of([go, "version"]) if go else None
    if go is None or version is None or version < GO_AT_LEAST:
        ways = (
            "let this machine reach the release's address (set https_proxy if there is a proxy)",
            "install Go, and have it on PATH",
            *tool.instead,
        )
        raise ToolchainError(
            f"{tool.title} {tool.version} is needed. Its release could not be downloaded, and "
            "there is no Go 1.21 or later to build it with. Any one of these helps:"
            + "".join(f"\n  - {way}" for way in ways)
        )
    return go


def _packages(go: str, tool: GoTool, module: Path, settings: Mapping[str, str]) -> int:
    modules = packages = 0
    with Progress(f"fetching {tool.title}'s modules") as progress:

        def count(line: str) -> None:
            nonlocal modules, packages
            fetched = line.startswith("go: downloading ")
            modules += fetched
            packages += not fetched
            progress.show(f"{modules} fetched, {packages} packages to compile")

        _follow(tool, [go, "list", "-deps", tool.package], module, settings, count)
    return packages


def _follow(
    tool: GoTool,
    command: Sequence[str],
    module: Path,
    settings: Mapping[str, str],
    seen: Callable[[str], None],
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
        try:
            for line in running.stdout:
                last = [*last[-19:], line.rstrip()]
                seen(line.strip())
        except KeyboardInterrupt:
            # Ctrl-C reaches it by itself; a signal to this process alone doesn't.
            running.terminate()
            raise
    if running.returncode != 0:
        raise ToolchainError(f"Building {tool.title} failed:\n  " + "\n  ".join(last))
