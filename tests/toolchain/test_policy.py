"""What checkov finds fails `make check`, and what it is told to pass over says why."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from project.paths import TREE
from toolchain import policy
from toolchain.python_environment import Environment

FLAW = """resource "aws_kms_key" "this" {
  %s
  enable_key_rotation = false
  policy              = "{}"
}
"""
UNROTATED = "CKV_AWS_7"
WORKFLOW = """on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: 'echo ${{ github.event.issue.title }}'
"""
INJECTION = "CKV_GHA_2"
NO_NETWORK = """import os, socket
def refuse(*arguments, **_more):
    with open(os.environ["HOME"] + "/called", "a") as file:
        print(arguments[-1:], file=file)
    raise OSError("no network here")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
"""


def module(root: Path, text: str, name: str = "main.tf") -> None:
    folder = root / "modules" / "flawed"
    folder.mkdir(parents=True, exist_ok=True)
    folder.joinpath(name).write_text(text)


@pytest.fixture
def checkov(tmp_path: Path) -> Environment:
    """Checkov as `make check` runs it, in a Python that writes down every call and makes none."""
    installed = policy.install(TREE)
    watched = Environment(tmp_path / "watched", installed.locks)
    (site := tmp_path / "site").mkdir()
    site.joinpath("sitecustomize.py").write_text(NO_NETWORK)
    watched.python.parent.mkdir(parents=True)
    watched.python.write_text(f'#!/bin/sh\nPYTHONPATH="{site}" exec "{installed.python}" "$@"\n')
    watched.python.chmod(0o755)
    watched.folder.joinpath("bin", "checkov").symlink_to(installed.folder / "bin" / "checkov")
    return watched


@pytest.mark.installs
def test_a_finding_is_told_unless_it_is_explained_and_nobody_is_called(
    checkov: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A person's own settings change nothing.
    monkeypatch.setenv("CKV_SKIP_CHECK", UNROTATED)
    monkeypatch.setenv("BC_API_KEY", "a-key")
    # A clone may lie in a folder of that name.
    root, home = tmp_path / "tests" / "tree", tmp_path / "home"
    module(root, FLAW % "" + 'module "remote" {\n  source = "terraform-aws-modules/kms/aws"\n}\n')
    root.joinpath("modules", "flawed", "tests").mkdir()
    root.joinpath(".github", "workflows").mkdir(parents=True)
    root.joinpath(".github", "workflows", "flawed.yml").write_text(WORKFLOW)

    found = policy.scan(checkov, root, home)

    assert f"{UNROTATED}: " in found
    assert f"{INJECTION}: " in found
    assert not home.joinpath("called").exists(), home.joinpath("called").read_text()


@pytest.mark.installs
def test_what_is_explained_is_passed_over_and_what_cannot_be_read_is_not(
    checkov: Environment, tmp_path: Path
) -> None:
    module(
        tmp_path, FLAW % f"# checkov:skip={UNROTATED}: It signs, and such a key has no rotation."
    )
    # A module's own tests are nobody's infrastructure.
    tmp_path.joinpath("modules", "flawed", "tests").mkdir()
    module(tmp_path, FLAW % "", "tests/mock.tf")
    assert policy.scan(checkov, tmp_path, tmp_path / "home") == ""

    module(tmp_path, 'resource "aws_kms_key" {{\n', "broken.tf")
    assert policy.scan(checkov, tmp_path, tmp_path / "home") != ""


def test_every_finding_that_is_passed_over_says_why() -> None:
    assert policy.unexplained(TREE.root) == []
    # The comments are read at all.
    assert {skip.check for skip in policy.skips(TREE.root)} >= {"CKV_AWS_117", "CKV2_AWS_38"}
    # Nothing else passes a finding over.
    assert not list(TREE.root.glob(".checkov*"))
    assert not {"--skip-check", "--check", "--soft-fail", "--baseline"} & set(policy.ARGUMENTS)


@pytest.mark.parametrize("reason", ["", ":", ": ", ": later", ":suppressed"])
def test_a_reason_is_a_sentence(tmp_path: Path, reason: str) -> None:
    module(tmp_path, FLAW % f"#checkov:skip={UNROTATED}{reason}")

    assert policy.unexplained(tmp_path) == [
        f"modules/flawed/main.tf:2: checkov:skip={UNROTATED} without a reason"
    ]


def test_a_skip_without_a_reason_fails_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    module(tmp_path, FLAW % f"# checkov:skip={UNROTATED}")
    nowhere = Environment(tmp_path / "none", ())
    monkeypatch.setattr(policy, "install", lambda _tree: nowhere)
    monkeypatch.setattr(policy, "scan", lambda *_: "")

    assert policy.main(type(TREE)(tmp_path)) == 1
    assert "without a reason" in "".join(capfd.readouterr())


def test_what_was_clean_is_scanned_again_once_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "tests" / "clone"
    module(root, "# one\n")
    tree = type(TREE)(root)
    scans: list[Path] = []
    found = ["a finding", "", "", ""]

    def scan(_checkov: Environment, root: Path, _home: Path) -> str:
        scans.append(root)
        return found[len(scans) - 1]

    monkeypatch.setattr(policy, "install", lambda _tree: Environment(tmp_path / "none", ()))
    monkeypatch.setattr(policy, "scan", scan)

    assert [policy.main(tree) for _ in "abc"] == [1, 0, 0]
    assert len(scans) == 2, "what wasn't clean is scanned again, and what was isn't"
    module(root, "# two\n")
    assert policy.main(tree) == 0
    module(root, "# three\n", "more.tf")
    assert policy.main(tree) == 0
    assert len(scans) == 4


def test_it_is_installed_by_the_check_and_not_to_bring_a_deployment_up() -> None:
    bring_up = [TREE.root / "toolchain" / f"{name}.py" for name in ("install", "up", "package")]
    assert not [path.name for path in bring_up if "policy" in path.read_text()]
    assert os.fspath(policy.environment(TREE).folder).startswith(os.fspath(TREE.tools))
