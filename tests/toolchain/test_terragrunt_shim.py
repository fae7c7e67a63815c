"""`terragrunt run-all …`, which Terragrunt dropped, reaches the real one respelled."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from toolchain.terragrunt_shim import SHIM, respell

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("run-all apply", "run --all -- apply"),
        ("run-all plan", "run --all -- plan"),
        ("run-all destroy", "run --all -- destroy"),
        ("run-all plan -detailed-exitcode", "run --all -- plan -detailed-exitcode"),
        ("run-all output -json", "run --all -- output -json"),
        ("run-all apply --non-interactive", "run --all --non-interactive -- apply"),
        ("run-all apply --terragrunt-non-interactive", "run --all --non-interactive -- apply"),
        ("--non-interactive run-all apply", "--non-interactive run --all -- apply"),
        ("--log-level run-all plan", "--log-level run-all plan"),
        ("--log-level debug run-all plan", "--log-level debug run --all -- plan"),
        (
            "run-all plan --parallelism 2 -lock=false",
            "run --all --parallelism 2 -- plan -lock=false",
        ),
        ("run-all --terragrunt-include-dir a plan", "run --all --queue-include-dir a -- plan"),
        ("run-all --terragrunt-tfpath=tofu plan", "run --all --tf-path=tofu -- plan"),
        ("run-all -- apply -auto-approve", "run --all -- apply -auto-approve"),
        ("run-all --help", "run --all --help"),
    ],
)
def test_run_all_is_respelled_so_that_each_flag_reaches_its_own_tool(
    typed: str, meant: str
) -> None:
    assert respell(typed.split()) == meant.split()


@pytest.mark.parametrize(
    "typed",
    ["run --all apply", "plan", "run --all -- plan -detailed-exitcode", "output run-all", ""],
)
def test_every_other_command_is_left_as_it_was_typed(typed: str) -> None:
    assert respell(typed.split()) == typed.split()


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A tree with the shim, and a Terragrunt that prints its arguments, one a line."""
    shim = tmp_path / "a clone" / ".tools" / "bin" / "terragrunt"
    real = shim.parent.parent / "libexec" / "terragrunt"
    for path, text in ((shim, SHIM), (real, "#!/bin/sh\nprintf '%s\\n' \"$@\"\nexit 3\n")):
        path.parent.mkdir(parents=True)
        path.write_text(text)
        path.chmod(0o755)
    (tmp_path / "a clone" / "toolchain").symlink_to(REPOSITORY / "toolchain")
    return shim


@pytest.mark.parametrize(
    ("typed", "received"),
    [
        (["run-all", "apply"], ["run", "--all", "--", "apply"]),
        (["plan", "-var", "a=b c", ""], ["plan", "-var", "a=b c", ""]),
    ],
)
def test_the_shim_hands_arguments_and_exit_status_through_from_any_folder(
    installed: Path, tmp_path: Path, typed: list[str], received: list[str]
) -> None:
    done = subprocess.run(
        [str(installed), *typed], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.removesuffix("\n").split("\n") == received
    assert done.returncode == 3


@pytest.mark.parametrize(("set_by_person", "seen"), [({}, "400 1GiB"), ({"GOGC": "50"}, "50 1GiB")])
def test_providers_collect_less_garbage_unless_a_person_says_otherwise(
    installed: Path, set_by_person: dict[str, str], seen: str
) -> None:
    real = installed.parent.parent / "libexec" / "terragrunt"
    real.write_text('#!/bin/sh\necho "$GOGC $GOMEMLIMIT"\n')
    done = subprocess.run(
        [str(installed), "plan"], env=set_by_person, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == seen
