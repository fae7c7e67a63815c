"""What checks need is brought by the first that needs it, and is what was pinned."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from project.console import ToolchainError
from project.paths import TREE, Tree
from toolchain import check_tools, pins, testing
from toolchain.check_tools import ACTIONLINT, OASDIFF, CheckTool, provide

NOWHERE = "file:///nonexistent"
each_tool = pytest.mark.parametrize("tool", [ACTIONLINT, OASDIFF], ids=lambda tool: tool.name)

GO = """#!/bin/sh
case "$1" in version) echo "go version go1.26.0";; list) echo one; echo two;; build)
  while [ "$1" != -o ]; do shift; done
  echo one; printf '#!/bin/sh\\necho {version}\\n' > "$2"; chmod +x "$2";;
esac
"""


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "clone")


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """A PATH on which there is no Go."""
    folder = tmp_path / "bare"
    folder.mkdir()
    chmod = shutil.which("chmod")
    assert chmod
    (folder / "chmod").symlink_to(chmod)
    return {"PATH": str(folder)}


def released(tool: CheckTool, folder: Path, says: str) -> CheckTool:
    """The tool with a release of its own, whose program says this."""
    archive = tool.archives[pins.platform_name()]
    packed = folder / f"v{tool.go.version}" / archive.name
    packed.parent.mkdir(parents=True, exist_ok=True)
    program = f"#!/bin/sh\necho '{says}'\n".encode()
    with tarfile.open(packed, "w:gz") as contents:
        for name in ("LICENSE.txt", tool.name):
            entry = tarfile.TarInfo(name)
            entry.size = len(program)
            contents.addfile(entry, io.BytesIO(program))
    sha256 = hashlib.sha256(packed.read_bytes()).hexdigest()
    archives = {pins.platform_name(): replace(archive, sha256=sha256)}
    return replace(tool, releases=f"file://{folder}", archives=archives)


@each_tool
def test_the_release_is_downloaded_checked_and_not_fetched_again(
    tree: Tree,
    tmp_path: Path,
    bare: dict[str, str],
    tool: CheckTool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    theirs = released(tool, tmp_path, f"version {tool.go.version}")
    assert provide(tree, theirs, bare) == tree.tools_bin / tool.name
    assert [path.name for path in tree.tools_bin.iterdir()] == [tool.name]
    assert os.access(tree.tools_bin / tool.name, os.X_OK)

    monkeypatch.setattr(check_tools, "fetch", lambda *_: pytest.fail("fetched again"))
    provide(tree, theirs, bare)


@each_tool
def test_other_bytes_than_the_pinned_ones_are_refused(
    tree: Tree, tmp_path: Path, bare: dict[str, str], tool: CheckTool
) -> None:
    theirs = released(tool, tmp_path, "tampered with")
    ours = replace(theirs, archives=tool.archives)
    with pytest.raises(ToolchainError, match="is pinned"):
        provide(tree, ours, bare)
    assert list(tree.tools_bin.iterdir()) == []


@each_tool
def test_another_version_is_replaced(
    tree: Tree, tmp_path: Path, bare: dict[str, str], tool: CheckTool
) -> None:
    provide(tree, released(tool, tmp_path, f"version {tool.go.version}"), bare)
    (tree.tools_bin / tool.name).write_text("#!/bin/sh\necho version 0.9.0\n")
    provide(tree, released(tool, tmp_path, f"version {tool.go.version}"), bare)
    assert tool.go.version in (tree.tools_bin / tool.name).read_text()


@each_tool
def test_where_the_release_cannot_be_had_it_is_built_from_its_module(
    tree: Tree, tmp_path: Path, bare: dict[str, str], tool: CheckTool
) -> None:
    go = tmp_path / "bare" / "go"
    go.write_text(GO.format(version=tool.go.version))
    go.chmod(0o755)
    (tree.root / "toolchain" / tool.go.folder).mkdir(parents=True)
    provide(tree, replace(tool, releases=NOWHERE), bare)
    assert [path.name for path in tree.tools_bin.iterdir()] == [tool.name]


@each_tool
def test_without_release_and_go_the_message_says_the_ways_out(
    tree: Tree, bare: dict[str, str], tool: CheckTool
) -> None:
    with pytest.raises(ToolchainError, match=rf"^{tool.name} {tool.go.version}(.|\n)*install Go"):
        provide(tree, replace(tool, releases=NOWHERE), bare)


@each_tool
def test_its_module_is_pinned_whole_at_the_version_of_the_release(tool: CheckTool) -> None:
    module = TREE.root / "toolchain" / tool.go.folder
    at = tool.go.package.removesuffix("/cmd/actionlint")
    assert f"\t{at} v{tool.go.version} // indirect\n" in (module / "go.mod").read_text()
    assert f"{at} v{tool.go.version} h1:" in (module / "go.sum").read_text()


def test_a_check_whose_tool_cannot_be_had_fails_and_the_others_run(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def denied(_: Tree) -> Path:
        raise ToolchainError("no Go")

    tree.root.mkdir()
    for name in ("install", "_environment"):
        monkeypatch.setattr(testing, name, lambda _tree: {})
    first = testing.Check("first", ("/bin/true",), denied)
    then = testing.Check("then", ("/bin/sh", "-c", "touch ran"))
    monkeypatch.setattr(testing, "checks", lambda _tree: [first, then])

    with pytest.raises(ToolchainError, match=r"Failed: first\."):
        testing.check(tree)

    assert "no Go" in capsys.readouterr().err
    assert (tree.root / "ran").exists()


def test_what_a_check_installs_comes_by_the_way_of_the_shell_and_not_of_the_embedded_aws(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.root.mkdir()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "the shell's")
    monkeypatch.setattr(testing, "install", lambda _tree: None)
    monkeypatch.setattr(testing, "_environment", lambda _tree: {"REQUESTS_CA_BUNDLE": "emulator's"})
    seen: dict[str, str | None] = {}
    for name in ("provide", "install_policies"):
        monkeypatch.setattr(
            testing,
            name,
            lambda *_, name=name: seen.update({name: os.environ.get("REQUESTS_CA_BUNDLE")}),
        )
    installing = [entry for entry in testing.checks(TREE) if entry.install]
    quiet = [replace(entry, command=("/bin/true",)) for entry in installing]
    monkeypatch.setattr(testing, "checks", lambda _tree: quiet)

    testing.check(tree)

    assert {entry.name for entry in quiet} == {"released contract", "policies", "actionlint"}
    assert seen == dict.fromkeys(("provide", "install_policies"), "the shell's")


def test_without_workflows_nothing_is_said_of_them(tree: Tree) -> None:
    assert "actionlint" not in [entry.name for entry in testing.checks(tree)]


WORKFLOW = """
on: push
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - run: echo "${{ %s }}"
"""


@pytest.mark.installs
@pytest.mark.parametrize(
    ("expression", "status", "says"),
    [("github.sha", 0, ""), ("github.no_such", 1, 'property "no_such" is not defined')],
)
def test_a_workflow_is_checked(tmp_path: Path, expression: str, status: int, says: str) -> None:
    tree = Tree(tmp_path)
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "test.yml").write_text(WORKFLOW % expression)
    (entry,) = [found for found in testing.checks(tree) if found.name == "actionlint"]
    tree.tools_bin.mkdir(parents=True)
    (tree.tools_bin / "actionlint").symlink_to(provide(TREE, ACTIONLINT, os.environ))

    done = subprocess.run(entry.command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == status
    assert says in done.stdout
