"""A person's own Terraform CLI configuration wins; else a provider mirror found here is used."""

from __future__ import annotations

from pathlib import Path

import pytest

from project.paths import Tree
from toolchain import cli_config
from toolchain.cli_config import configuration, configure, find_mirror, mirror_directories

VERSION = "5.100.0"
PLATFORM = "linux_amd64"
PROVIDER = Path("registry.terraform.io/hashicorp/aws")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """A clone on a machine with nothing in /opt."""
    monkeypatch.setattr(cli_config, "PARENTS_OF_MIRRORS", (str(tmp_path / "opt"),))
    monkeypatch.setattr(cli_config, "IMPLIED_MIRRORS", ("~/.terraform.d/plugins",))
    return Tree(tmp_path / "clone")


def unpacked_mirror(root: Path, version: str = VERSION) -> Path:
    (root / PROVIDER / version / PLATFORM).mkdir(parents=True)
    return root


def packed_mirror(root: Path) -> Path:
    (root / PROVIDER).mkdir(parents=True)
    (root / PROVIDER / f"terraform-provider-aws_{VERSION}_{PLATFORM}.zip").touch()
    return root


def test_both_layouts_of_a_mirror_are_found(tmp_path: Path) -> None:
    unpacked, packed = unpacked_mirror(tmp_path / "a"), packed_mirror(tmp_path / "b")
    assert find_mirror([tmp_path, packed, unpacked], VERSION, PLATFORM) == packed
    assert find_mirror([tmp_path, unpacked, packed], VERSION, PLATFORM) == unpacked


def test_a_mirror_of_another_version_or_platform_is_passed_over(tmp_path: Path) -> None:
    other = unpacked_mirror(tmp_path / "a", "5.99.0")
    assert find_mirror([other], VERSION, PLATFORM) is None
    assert find_mirror([unpacked_mirror(tmp_path / "b")], VERSION, "linux_arm64") is None


def test_a_mirror_below_opt_is_used_through_a_generated_configuration(
    tree: Tree, home: Path, tmp_path: Path
) -> None:
    mirror = unpacked_mirror(tmp_path / "opt" / "plugins")
    assert configure(tree, {}, home, PLATFORM, VERSION) == tree.terraform_rc
    assert tree.terraform_rc.read_text() == configuration(mirror)
    assert f'path    = "{mirror}"' in tree.terraform_rc.read_text()


def test_the_mirror_that_the_environment_names_comes_first(tree: Tree, home: Path) -> None:
    assert mirror_directories({"TF_PLUGIN_MIRROR_DIR": "/named"}, home)[0] == Path("/named")


@pytest.mark.parametrize("variable", ["TF_CLI_CONFIG_FILE", "TERRAFORM_CONFIG"])
def test_a_configuration_that_a_variable_names_wins_over_a_mirror(
    tree: Tree, home: Path, tmp_path: Path, variable: str
) -> None:
    unpacked_mirror(tmp_path / "opt" / "plugins")
    own = tmp_path / "own.tfrc"
    own.touch()
    assert configure(tree, {variable: str(own)}, home, PLATFORM, VERSION) == own
    assert not tree.terraform_rc.exists()


@pytest.mark.parametrize("name", [".terraformrc", ".terraform.d/mine.tfrc"])
def test_a_configuration_in_the_home_folder_wins_over_a_mirror(
    tree: Tree, home: Path, tmp_path: Path, name: str
) -> None:
    unpacked_mirror(tmp_path / "opt" / "plugins")
    (home / name).parent.mkdir(exist_ok=True)
    (home / name).touch()
    assert configure(tree, {}, home, PLATFORM, VERSION) == home / name


def test_a_variable_that_names_a_missing_file_counts_as_no_configuration(
    tree: Tree, home: Path, tmp_path: Path
) -> None:
    unpacked_mirror(tmp_path / "opt" / "plugins")
    named = {"TF_CLI_CONFIG_FILE": str(home / ".terraformrc")}
    assert configure(tree, named, home, PLATFORM, VERSION) == tree.terraform_rc


def test_our_own_generated_file_in_the_environment_is_nobodys_wish(
    tree: Tree, home: Path, tmp_path: Path
) -> None:
    mirror = unpacked_mirror(tmp_path / "opt" / "plugins")
    rc = configure(tree, {}, home, PLATFORM, VERSION)
    mirror.rename(tmp_path / "gone")
    assert configure(tree, {"TF_CLI_CONFIG_FILE": str(rc)}, home, PLATFORM, VERSION) is None


def test_no_mirror_means_no_generated_configuration_and_an_old_one_goes(
    tree: Tree, home: Path
) -> None:
    tree.terraform_rc.parent.mkdir(parents=True)
    tree.terraform_rc.touch()
    assert configure(tree, {}, home, PLATFORM, VERSION) is None
    assert not tree.terraform_rc.exists()


def test_a_path_with_a_quote_stays_one_string() -> None:
    assert r'"/opt/a\"b"' in configuration(Path('/opt/a"b'))
