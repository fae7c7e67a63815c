"""What `make check` needs beyond the locked environment, and nothing else does."""

from __future__ import annotations

import os
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from project.console import ToolchainError, say
from project.file_lock import exclusive
from project.paths import Tree
from toolchain import pins
from toolchain.fetch import UnreachableError, fetch
from toolchain.go_build import GoTool, build
from toolchain.search_path import version_of


@dataclass(frozen=True, slots=True)
class CheckTool:
    """One tool: how it is asked for its version, its release, and how it is built.

    The machine's own is not taken: another version finds other faults.
    """

    name: str
    version_flag: str
    releases: str
    archives: Mapping[str, pins.Archive]
    go: GoTool


OASDIFF = CheckTool(
    "oasdiff",
    "--version",
    pins.OASDIFF_RELEASES,
    pins.OASDIFF_ARCHIVES,
    GoTool(
        "oasdiff",
        pins.OASDIFF,
        "github.com/oasdiff/oasdiff",
        "oasdiff",
        f"github.com/oasdiff/oasdiff/build.Version={pins.OASDIFF}",
        "half a minute",
    ),
)
ACTIONLINT = CheckTool(
    "actionlint",
    "-version",
    pins.ACTIONLINT_RELEASES,
    pins.ACTIONLINT_ARCHIVES,
    GoTool(
        "actionlint",
        pins.ACTIONLINT,
        "github.com/rhysd/actionlint/cmd/actionlint",
        "actionlint",
        f"github.com/rhysd/actionlint.version={pins.ACTIONLINT}",
        "half a minute",
    ),
)


def provide(tree: Tree, tool: CheckTool, environment: Mapping[str, str]) -> Path:
    """Put a tool into .tools/bin, unless its pinned version is there already.

    Raises ToolchainError where its release can't be had and there is no Go to build it with.
    """
    target = tree.tools_bin / tool.name
    if _in_place(target, tool):
        return target
    with exclusive(tree.lock("check-tools"), "install of what checks need"):
        if not _in_place(target, tool):
            _bring(tree, tool, target, environment)
    if not _in_place(target, tool):
        raise ToolchainError(f"{target} does not run. Delete it and run this again.")
    return target


def _in_place(target: Path, tool: CheckTool) -> bool:
    return version_of([str(target), tool.version_flag]) == pins.parse_version(tool.go.version)


def _bring(tree: Tree, tool: CheckTool, target: Path, environment: Mapping[str, str]) -> None:
    try:
        _download(tool, target)
    except UnreachableError as error:
        say(f"  the release can't be had ({error}); building {tool.name} from its Go module")
        build(tool.go, tree, target, environment)


def _download(tool: CheckTool, target: Path) -> None:
    platform = pins.platform_name()
    if platform not in tool.archives:
        raise UnreachableError(f"no sum is pinned for {platform}")
    archive = tool.archives[platform]
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        packed = Path(scratch) / archive.name
        fetch(f"{tool.releases}/v{tool.go.version}/{archive.name}", packed, archive.sha256)
        with tarfile.open(packed) as contents:
            program = contents.extractfile(tool.name)
            assert program is not None
            fresh.write_bytes(program.read())
    fresh.chmod(0o755)
    fresh.replace(target)
