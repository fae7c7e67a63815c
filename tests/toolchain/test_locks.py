"""Everything that is fetched has a hash in a lock, and the locks are renewed by a locked tool."""

from __future__ import annotations

import io
import re
import sys
import tarfile
from pathlib import Path

import pytest

from benchmarks import packages
from project.console import ToolchainError
from project.paths import TREE, Tree
from tests.support.wheels import hash_option, write_wheel
from toolchain import lock_dependencies as renewing
from toolchain import provider_locks
from toolchain.package import Requirement
from toolchain.package import locked as locked_requirements
from toolchain.python_environment import LOCKS, install_python

FILES = (
    "requirements.lock",
    "lambda/requirements.txt",
    *(f"benchmarks/rivals/{name}/requirements.txt" for name in ("fastapi", "powertools")),
    "toolchain/checkov.lock",
)
WHOLE = "\n".join(f'    "h1:{number}",' for number in range(len(provider_locks.PLATFORMS)))


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """A clone whose two accounts pin a version each, with nothing installed."""
    pinned = {"dev": "6.1.0", "local": "5.100.0"}
    for name in pinned:
        account = tmp_path / "live" / name / "account.hcl"
        account.parent.mkdir(parents=True)
        account.touch()
    monkeypatch.setattr(provider_locks, "provider_version", lambda _tree, name: pinned[name])
    return Tree(tmp_path)


@pytest.mark.parametrize("file", FILES)
def test_a_lock_pins_and_hashes_every_package_and_names_no_index(file: str) -> None:
    text = (TREE.root / file).read_text()
    assert "://" not in text
    assert "--index" not in text
    requirements = list(locked_requirements(text))
    assert requirements
    for each in requirements:
        assert re.match(r"[a-z0-9.\-]+==[^ ]+ ", each.lines), each.name
        assert "--hash=sha256:" in each.lines, each.name


def test_every_lock_is_renewed_by_make_lock() -> None:
    assert {job[-1] for job in renewing.JOBS} == set(FILES)


def test_the_tool_that_writes_the_locks_is_in_one() -> None:
    text = (TREE.root / "requirements.lock").read_text()
    assert "uv" in {each.name for each in locked_requirements(text)}
    assert TREE.uv.is_file()


def test_locks_are_renewed_by_the_locked_uv_alone(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "elsewhere"
    for path in (tree.uv, other / "uv"):
        path.parent.mkdir(parents=True)
        path.write_text(f'#!/bin/sh\necho "$0 $*" >> {tmp_path}/calls\n')
        path.chmod(0o755)
    monkeypatch.setenv("PATH", str(other), prepend=":")
    monkeypatch.setattr(renewing, "install", lambda _: None)
    monkeypatch.setattr(provider_locks, "renew", lambda _: None)
    renewing.lock(tree, upgrade=False)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(calls) == len(FILES)
    for call in calls:
        assert call.startswith(f"{tree.uv} pip compile")
        assert "--generate-hashes" in call
        assert "--upgrade" not in call


def registry(tree: Tree, script: str) -> Path:
    """Put a Terraform in the clone that answers for the registry; the file of its arguments."""
    terraform = tree.tools_bin / "terraform"
    terraform.parent.mkdir(parents=True)
    asked = tree.root / "asked"
    terraform.write_text(f'#!/bin/sh\necho "$@" >> {asked}\n{script}\n')
    terraform.chmod(0o755)
    return asked


def test_a_version_without_a_lock_is_locked_for_every_platform(tree: Tree) -> None:
    asked = registry(tree, "cp main.tf .terraform.lock.hcl")
    provider_locks.renew(tree)
    for version in ("5.100.0", "6.1.0"):
        written = provider_locks.provider_lock(tree, version).read_text()
        assert f'version = "{version}"' in written
    calls = asked.read_text().splitlines()
    assert len(calls) == 2
    for call in calls:
        assert call.startswith("providers lock ")
        assert call.count("-platform=") == 4


def test_a_lock_that_knows_every_platform_is_kept_without_asking_anybody(tree: Tree) -> None:
    asked = registry(tree, "cp main.tf .terraform.lock.hcl")
    kept = provider_locks.provider_lock(tree, "5.100.0")
    kept.parent.mkdir(parents=True)
    kept.write_text(WHOLE)
    provider_locks.renew(tree)
    assert kept.read_text() == WHOLE
    assert len(asked.read_text().splitlines()) == 1


def test_a_registry_that_cannot_be_reached_leaves_nothing_and_is_named(tree: Tree) -> None:
    registry(tree, "exit 1")
    with pytest.raises(
        ToolchainError, match=r"5\.100\.0 were not renewed.*registry\.terraform\.io"
    ):
        provider_locks.renew(tree)
    assert not provider_locks.provider_lock(tree, "5.100.0").exists()


def source_distribution(folder: Path, marker: Path) -> str:
    """Make one that runs code of its own when it is built; the line that locks it."""
    backend = (
        f"open({str(marker)!r}, 'w').close()\n"
        "def get_requires_for_build_wheel(config_settings=None): return []\n"
    )
    files = {
        "pyproject.toml": (
            '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        ),
        "backend.py": backend,
        "PKG-INFO": "Metadata-Version: 2.1\nName: sourced\nVersion: 1.0\n",
    }
    folder.mkdir()
    path = folder / "sourced-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"sourced-1.0/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return f"sourced==1.0 {hash_option(path)}\n"


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages, and no index."""
    folder = tmp_path / "packages"
    for tool in ("PIP", "UV"):
        monkeypatch.setenv(f"{tool}_NO_INDEX", "1")
        monkeypatch.setenv(f"{tool}_FIND_LINKS", str(folder))
    return folder


@pytest.mark.installs
def test_a_package_that_would_have_to_be_built_is_not(
    tree: Tree, tmp_path: Path, offline: Path
) -> None:
    line = source_distribution(offline, tmp_path / "built")
    for lock in LOCKS:
        (tree.root / lock).parent.mkdir(parents=True, exist_ok=True)
        (tree.root / lock).write_text("")
    (tree.root / LOCKS[0]).write_text(line)
    with pytest.raises(ToolchainError, match="Installing the locked Python packages failed"):
        install_python(tree)
    assert not (tmp_path / "built").exists()


def test_the_benchmark_installs_nothing_without_the_locks_hash(
    tmp_path: Path, offline: Path
) -> None:
    sourced = source_distribution(offline, tmp_path / "built")
    locked = f"other==1.0 {hash_option(write_wheel(offline, 'other'))}"
    python, target = Path(sys.executable), tmp_path / "target"
    for lines in ("other==1.0", f"other==1.0 --hash=sha256:{'0' * 64}", sourced):
        with pytest.raises(ToolchainError, match="could not be installed"):
            packages.install(python, target, [Requirement("other", lines)])
    assert not (tmp_path / "built").exists()
    assert not (target / "other.py").exists()
    packages.install(python, target, [Requirement("other", locked)])
    assert (target / "other.py").exists()
