"""Which Terraform and Terragrunt are taken, and what is refused."""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from project.console import ToolchainError
from project.paths import Tree
from toolchain import pins, terragrunt
from toolchain.fetch import UnreachableError, fetch
from toolchain.terraform import install_terraform
from toolchain.terragrunt import install_terragrunt
from toolchain.terragrunt_shim import SHIM

NOWHERE = "file:///nonexistent"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "clone")


@pytest.fixture
def bare(tmp_path: Path) -> str:
    """A PATH as short as it gets: whatever this machine has installed is not on it."""
    folder = tmp_path / "bare"
    folder.mkdir()
    chmod = shutil.which("chmod")
    assert chmod
    (folder / "chmod").symlink_to(chmod)
    return str(folder)


def tool(folder: Path, name: str, says: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("says", "version"),
    [
        ("Terraform v1.11.4\non linux_amd64", (1, 11, 4)),
        ("terragrunt version v1.1.3", (1, 1, 3)),
        ("Terraform v1.12.0-beta1", (1, 12, 0)),
        ("no version", None),
    ],
)
def test_versions_are_read_from_the_tools_own_words(says: str, version: pins.Version) -> None:
    assert pins.parse_version(says) == version


@pytest.mark.parametrize(
    ("version", "fits"),
    [((1, 9, 8), False), ((1, 10, 0), True), ((1, 99, 0), True), ((2, 0, 0), False), (None, False)],
)
def test_terraform_fits_from_1_10_up_to_2(version: pins.Version | None, fits: bool) -> None:
    assert pins.fits(version, pins.TERRAFORM_RANGE) is fits


def test_a_fitting_terraform_behind_one_that_does_not_fit_is_used(
    tree: Tree, tmp_path: Path, bare: str
) -> None:
    tool(tmp_path / "old", "terraform", "Terraform v1.9.8")
    fitting = tool(tmp_path / "new", "terraform", "Terraform v1.13.1")
    path = f"{tmp_path / 'old'}:{tmp_path / 'new'}:{bare}"
    assert install_terraform(tree, path, NOWHERE) == (1, 13, 1)
    assert (tree.tools_bin / "terraform").readlink() == fitting


def test_without_a_fitting_terraform_the_pinned_release_is_downloaded_and_checked(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bare: str
) -> None:
    releases = release_of_terraform(tmp_path)
    zipped = next(releases.rglob("*.zip")).read_bytes()
    monkeypatch.setitem(pins.TERRAFORM_SHA256, pins.platform_name(), sha256(zipped))
    assert install_terraform(tree, bare, f"file://{releases}") == (1, 11, 4)
    assert sorted(path.name for path in tree.tools_bin.iterdir()) == ["terraform"]


def test_a_release_with_other_bytes_than_the_pinned_ones_is_refused(
    tree: Tree, tmp_path: Path, bare: str
) -> None:
    releases = release_of_terraform(tmp_path)
    with pytest.raises(ToolchainError, match=r"SHA-256 .* is pinned\. It was not installed"):
        install_terraform(tree, bare, f"file://{releases}")
    assert list(tree.tools_bin.iterdir()) == []


def test_no_terraform_and_no_network_says_what_to_put_on_path(tree: Tree, bare: str) -> None:
    with pytest.raises(ToolchainError, match=r"Terraform from 1\.10 .* on PATH"):
        install_terraform(tree, bare, NOWHERE)


def release_of_terraform(tmp_path: Path) -> Path:
    folder = tmp_path / "releases" / pins.TERRAFORM
    folder.mkdir(parents=True)
    name = f"terraform_{pins.TERRAFORM}_{pins.platform_name()}.zip"
    with zipfile.ZipFile(folder / name, "w") as archive:
        archive.writestr("terraform", f"#!/bin/sh\necho Terraform v{pins.TERRAFORM}\n")
    return folder.parent


def test_a_download_appears_under_its_name_only_once_it_is_whole(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "into" / "target"
    source.write_bytes(b"release")
    with pytest.raises(ToolchainError):
        fetch(f"file://{source}", target, sha256(b"other"))
    with pytest.raises(UnreachableError):
        fetch(f"{NOWHERE}/release", target, sha256(b"release"))
    assert list(target.parent.iterdir()) == []
    fetch(f"file://{source}", target, sha256(b"release"))
    assert target.read_bytes() == b"release"


def test_a_bundle_that_is_not_there_yet_does_not_keep_curl_from_a_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool(tmp_path, "curl", "").write_text('#!/bin/sh\necho "$CURL_CA_BUNDLE" >&2\nexit 1\n')
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("CURL_CA_BUNDLE", str(tmp_path / "bundle.pem"))
    with pytest.raises(UnreachableError, match="curl ended with 1"):
        fetch("https://example.test/release", tmp_path / "target", "")


def test_a_fitting_terragrunt_on_path_is_put_behind_the_shim(
    tree: Tree, tmp_path: Path, bare: str
) -> None:
    own = tool(tmp_path / "own", "terragrunt", "terragrunt version v1.2.0")
    path = f"{tmp_path / 'own'}:{bare}"
    assert install_terragrunt(tree, {"PATH": path}, NOWHERE) == (1, 2, 0)
    assert tree.real_terragrunt.resolve() == own
    assert (tree.tools_bin / "terragrunt").read_text() == SHIM
    assert os.access(tree.tools_bin / "terragrunt", os.X_OK)


def test_what_another_clone_has_installed_is_never_taken(
    tree: Tree, tmp_path: Path, bare: str
) -> None:
    other = tmp_path / "other clone" / ".tools" / "bin"
    tool(other, "terragrunt", "terragrunt version v1.1.3")
    tool(other, "terraform", "Terraform v1.11.4")
    with pytest.raises(ToolchainError, match="no Go"):
        install_terragrunt(tree, {"PATH": f"{other}:{bare}"}, NOWHERE)
    with pytest.raises(ToolchainError, match="Terraform is needed"):
        install_terraform(tree, f"{other}:{bare}", NOWHERE)


def test_the_terragrunt_release_is_downloaded_and_checked(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bare: str
) -> None:
    name = f"terragrunt_{pins.platform_name()}"
    release = tool(tmp_path / f"v{pins.TERRAGRUNT}", name, "terragrunt version v1.1.3")
    sums = {pins.platform_name(): sha256(release.read_bytes())}
    monkeypatch.setattr(pins, "TERRAGRUNT_SHA256", sums)
    assert install_terragrunt(tree, {"PATH": bare}, f"file://{tmp_path}") == (1, 1, 3)
    release.write_text("#!/bin/sh\necho tampered with\n")
    tree.real_terragrunt.unlink()
    with pytest.raises(ToolchainError, match="is pinned"):
        install_terragrunt(tree, {"PATH": bare}, f"file://{tmp_path}")
    assert list(tree.real_terragrunt.parent.iterdir()) == []


def test_without_release_and_go_the_message_says_the_ways_out(tree: Tree, bare: str) -> None:
    with pytest.raises(ToolchainError, match=r"install Go(.|\n)*terragrunt from 1\.1"):
        install_terragrunt(tree, {"PATH": bare}, NOWHERE)


def test_a_failed_build_shows_the_compilers_words_and_leaves_nothing(
    tree: Tree, tmp_path: Path, bare: str
) -> None:
    go = tool(tmp_path / "go", "go", "go version go1.26.0 linux/amd64")
    go.write_text(
        go.read_text()
        + 'test "$1" = build && echo "no space left on device" >&2 && exit 1\nexit 0\n'
    )
    (tree.root / "toolchain" / "terragrunt").mkdir(parents=True)
    path = f"{tmp_path / 'go'}:{bare}"
    with pytest.raises(ToolchainError, match="no space left on device"):
        install_terragrunt(tree, {"PATH": path}, NOWHERE)
    assert list(tree.real_terragrunt.parent.iterdir()) == []


def test_a_release_that_cannot_be_reached_is_built_from_the_module(
    tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str], bare: str
) -> None:
    built = "#!/bin/sh\\necho terragrunt version v1.1.3\\n"
    go = tool(tmp_path / "go", "go", "go version go1.26.0 linux/amd64")
    go.write_text(
        "#!/bin/sh\n"
        'case "$1" in version) echo "go version go1.26.0";; list) echo one; echo two;; build)\n'
        '  while [ "$1" != -o ]; do shift; done\n'
        f'  echo one; printf \'{built}\' > "$2"; chmod +x "$2";;\n'
        "esac\n"
    )
    (tree.root / "toolchain" / "terragrunt").mkdir(parents=True)
    path = f"{tmp_path / 'go'}:{bare}"
    assert install_terragrunt(tree, {"PATH": path}, NOWHERE) == (1, 1, 3)
    assert "building Terragrunt" in capsys.readouterr().err


def test_nothing_of_the_persons_own_takes_a_modules_place_in_the_build(
    tree: Tree, tmp_path: Path, bare: str
) -> None:
    go = tool(tmp_path / "go", "go", "go version go1.26.0 linux/amd64")
    go.write_text(
        "#!/bin/sh\n"
        'case "$1" in version) echo "go version go1.26.0";;\n'
        f'  *) echo "$1 $GOFLAGS $GOWORK" >> {tmp_path}/seen;; esac\n'
        'test "$1" != build\n'
    )
    (tree.root / "toolchain" / "terragrunt").mkdir(parents=True)
    theirs = {"GOFLAGS": "-mod=mod -insecure -modfile=/x/go.mod", "GOWORK": "/x/go.work"}
    with pytest.raises(ToolchainError):
        install_terragrunt(tree, {"PATH": f"{tmp_path / 'go'}:{bare}", **theirs}, NOWHERE)
    flags = "-buildvcs=false -mod=readonly off"
    assert (tmp_path / "seen").read_text().splitlines() == [f"list {flags}", f"build {flags}"]


def test_a_terragrunt_in_place_is_neither_fetched_nor_built_again(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, bare: str
) -> None:
    tool(tree.real_terragrunt.parent, "terragrunt", "terragrunt version v1.1.3")
    monkeypatch.setattr(terragrunt, "fetch", lambda *_: pytest.fail("fetched again"))
    assert install_terragrunt(tree, {"PATH": bare}) == (1, 1, 3)
