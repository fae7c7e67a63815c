"""What is typed after `make` arrives letter for letter, and nothing in it is run."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from project import make_variables
from project.account import read_account
from project.console import ToolchainError
from project.environment import process_environment
from project.paths import TREE
from toolchain import cli, up

if TYPE_CHECKING:
    from pathlib import Path

NAMES = (
    "ACCOUNT", "CONFIRM", "COUNT", "ID", "JSON", "KEEP", "KIND", "MINUTES", "MS", "NAME", "PLAN",
    "RATE", "REGION", "RUNS", "SEED", "SHELL_KIND", "SINCE", "TESTS", "USERS", "VERSION", "WHERE",
    "WITHOUT",
)  # fmt: skip
# `{}` is a file that must not appear.
NASTY = (
    "`touch {}`",
    "$(touch {})",
    "$(shell touch {})",
    "${{shell touch {}}}",
    '";touch {};"',
    "';touch {};'",
    '\\";touch {};\\"',
    "a\ntouch {}\n#",
    "$$(touch {})$@ # & | > {}",
    "--help",
)
TARGETS = sorted(
    set(re.findall(r"^([a-z][a-z0-9-]*):", (TREE.root / "Makefile").read_text(), re.MULTILINE))
    - {"help"}
)


class Make:
    """The Makefile, with a stand-in for Python that writes down what it is given."""

    def __init__(self, folder: Path) -> None:
        self.marker = folder / "marker"
        self._given = folder / "given"
        self._python = folder / "python"
        self._python.write_text(
            f'#!/bin/sh\nprintf "%s\\0" "$@" > {self._given}.arguments\nenv -0 > {self._given}\n'
        )
        self._python.chmod(0o755)

    def run(self, target: str, typed: dict[str, str], **inherited: str) -> dict[str, str]:
        """Run `make <target>` with variables; the environment that Python gets."""
        # A `make` that runs the tests hands its own variables on in MAKEFLAGS.
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
        for name in NAMES:
            kept.pop(name, None)
        words = [f"{name}={text}" for name, text in typed.items()]
        command = ["make", f"PYTHON={self._python}", target, *words]
        done = subprocess.run(
            command,
            cwd=TREE.root,
            env={**kept, **inherited},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        pairs = (pair.partition("=") for pair in self._given.read_text().split("\0") if pair)
        return {name: value for name, _, value in pairs}

    def arguments(self) -> list[str]:
        """The arguments that Python was given last."""
        given = self._given.with_suffix(".arguments")
        return given.read_text().removesuffix("\0").split("\0")


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return Make(tmp_path)


def test_the_makefile_hands_on_every_variable_that_is_read() -> None:
    listed = re.search(r"^override VARIABLES := (.*)$", (TREE.root / "Makefile").read_text(), re.M)
    assert listed
    assert tuple(listed[1].split()) == NAMES
    read = {each.name for group in make_variables.VARIABLES.values() for each in group}
    assert read <= set(NAMES)


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_that_is_typed_is_run_and_all_of_it_arrives(make: Make, target: str) -> None:
    for nasty in NASTY:
        text = nasty.format(*[make.marker] * 2)
        given = make.run(target, dict.fromkeys(NAMES, text))
        assert not make.marker.exists(), f"make {target} ran {nasty}"
        assert {name: given.get(f"TYPED_{name}") for name in NAMES} == dict.fromkeys(NAMES, text)
        assert not {name for name in NAMES if name in given}, "expanded, beside what was typed"
        assert text not in make.arguments()


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_only_inherited_is_no_argument(make: Make, target: str) -> None:
    inherited = dict.fromkeys(NAMES, "inherited")
    typed = make.run(target, {}, **inherited, **{f"TYPED_{name}": "too" for name in NAMES})
    assert not [name for name in typed if name.startswith("TYPED_")]
    assert "inherited" not in make.arguments()


def test_an_exported_account_arrives_as_it_is(make: Make) -> None:
    """The runbooks export it once for all that follows."""
    text = f"$(shell touch {make.marker})"
    assert make.run("takeover", {}, ACCOUNT=text)["ACCOUNT"] == text
    assert not make.marker.exists()


def typed(**variables: str) -> dict[str, str]:
    return {f"TYPED_{name}": text for name, text in variables.items()}


@pytest.mark.parametrize(
    ("command", "variables", "arguments"),
    [
        (
            ["local", "fault"],
            {"REGION": "us-east-1", "KIND": "slow", "MS": "1500"},
            ["--region=us-east-1", "--kind=slow", "--milliseconds=1500"],
        ),
        (["local", "fault"], {"REGION": "-x", "KIND": "`x`"}, ["--region=-x", "--kind=`x`"]),
        (["local", "heal"], {}, []),
        (["local", "heal"], {"REGION": "us-east-1"}, ["--region=us-east-1"]),
        (["drills", "run"], {}, []),
        (["drills", "run"], {"NAME": "two words"}, ["--", "two words"]),
        (["tracing"], {"ID": "--help", "MINUTES": "5"}, ["--minutes=5", "--", "--help"]),
        (["releases", "rollback"], {}, []),
        (["releases", "rollback"], {"REGION": "us-west-2"}, ["--region=us-west-2"]),
        (
            ["releases", "rollback"],
            {"REGION": "us-west-2", "VERSION": "7"},
            ["--region=us-west-2", "--version=7"],
        ),
        (["tracing", "an id of its own"], {}, []),
        (["doctor"], {"JSON": "1"}, ["--json"]),
        (["doctor"], {}, []),
        (["drift"], {"JSON": "1"}, ["--json"]),
    ],
)
def test_variables_become_arguments(
    command: list[str], variables: dict[str, str], arguments: list[str]
) -> None:
    assert make_variables.arguments(command, typed(**variables)) == arguments


@pytest.mark.parametrize(
    ("command", "variables", "says"),
    [
        (["local", "fault"], {}, "REGION=us-east-1 KIND=hang"),
        (["local", "fault"], {"REGION": "us-east-1"}, "KIND=hang"),
        (["local", "fault"], {"REGION": "r", "KIND": "slow"}, r"KIND=slow needs MS="),
        (["local", "fault"], {"REGION": "r", "KIND": "hang", "MS": "1"}, r"KIND=slow needs MS="),
        (["local", "fault"], {"REGION": "r", "KIND": "slow", "MS": "abc"}, "MS=abc is no whole"),
        (["local", "fault"], {"MS": "abc"}, "MS=abc is no whole number: MS=1500"),
        (
            ["local", "fault"],
            {"REGION": "r", "KIND": "slow", "MS": "60001"},
            "MS=60001 is not from 1 to 60000: MS=1500",
        ),
        (["tracing"], {}, "ID=<any id"),
        (["releases", "rollback"], {"VERSION": "last"}, "VERSION=last is no whole number"),
        (["tracing"], {"MINUTES": "abc"}, "MINUTES=abc is no whole number: MINUTES=10"),
        (["tracing"], {"ID": "x", "MINUTES": "999999999"}, "MINUTES=999999999 is not from 1 to"),
        (["tracing"], {"ID": "x", "MINUTES": "-5"}, "MINUTES=-5 is no whole number: MINUTES=10"),
        (["tracing"], {"ID": "x", "MINUTES": "5; x"}, "MINUTES=5; x is no whole number"),
        (["doctor"], {"JSON": "--help"}, "JSON is 1"),
        (["load"], {"RATE": "1001"}, "RATE=1001 is not from 1 to 1000: RATE=5"),
        (["load"], {"USERS": "a"}, "USERS=a is no whole number: USERS=20"),
    ],
)
def test_a_mistake_is_named_in_the_words_that_were_typed(
    command: list[str], variables: dict[str, str], says: str
) -> None:
    with pytest.raises(ToolchainError, match=says):
        make_variables.arguments(command, typed(**variables))


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_says_what_it_takes(make: Make, target: str) -> None:
    """Typed for one that doesn't take it, a variable is refused and not ignored."""
    make.run(target, {})
    command = [word for word in make.arguments() if word not in ("-m", "toolchain")]
    for name in NAMES:
        environment = typed(**{name: "given"})
        if name in TAKEN.get(target, ()):
            make_variables.require_taken(command, environment)
        else:
            with pytest.raises(ToolchainError, match=f"{name}=given"):
                make_variables.require_taken(command, environment)


# What the Makefile's own help says of each target, and ACCOUNT where it names one.
TAKEN = {
    "apply": ("ACCOUNT", "PLAN"),
    "bench": ("JSON", "RUNS"),
    "dashboard": ("ACCOUNT",),
    "doctor": ("ACCOUNT", "JSON"),
    "drill": ("ACCOUNT", "CONFIRM", "NAME"),
    "drill-all": ("ACCOUNT", "CONFIRM"),
    "drill-report": ("ACCOUNT",),
    "drift": ("ACCOUNT", "JSON"),
    "drills": ("ACCOUNT",),
    "e2e": ("ACCOUNT",),
    "env": ("ACCOUNT", "SHELL_KIND"),
    "failback": ("ACCOUNT",),
    "fault": ("KIND", "MS", "REGION"),
    "heal": ("REGION",),
    "pause-writes": ("ACCOUNT",),
    "releases": ("ACCOUNT",),
    "resume-writes": ("ACCOUNT",),
    "rollback": ("ACCOUNT", "REGION", "VERSION"),
    "load": ("ACCOUNT", "CONFIRM", "MINUTES", "RATE", "USERS"),
    "plan": ("ACCOUNT", "KEEP", "SINCE"),
    "mutants": ("COUNT", "SEED", "WHERE"),
    "start": ("WITHOUT",),
    "takeover": ("ACCOUNT",),
    "test": ("TESTS",),
    "trace": ("ACCOUNT", "ID", "MINUTES"),
    "unit": ("TESTS",),
}


@pytest.mark.parametrize("command", [["up"], ["down"], ["local", "status"], ["test"], ["alarms"]])
def test_a_local_command_refuses_another_account_typed_or_exported(command: list[str]) -> None:
    for environment in (typed(ACCOUNT="dev"), {"ACCOUNT": "dev"}):
        with pytest.raises(ToolchainError, match=r"embedded AWS alone, not on ACCOUNT=dev"):
            make_variables.require_taken(command, environment)
    make_variables.require_taken(command, typed(ACCOUNT="local") | {"ACCOUNT": "dev"})


def test_an_exported_account_is_no_matter_where_there_is_none() -> None:
    make_variables.require_taken(["check"], {"ACCOUNT": "dev"})
    make_variables.require_taken(["check"], typed(ACCOUNT="local"))


def test_make_refuses_what_it_would_ignore() -> None:
    done = subprocess.run(
        ["make", "-s", "status", "ACCOUNT=dev"],
        cwd=TREE.root,
        env={name: value for name, value in os.environ.items() if name != "MAKEFLAGS"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "embedded AWS alone" in done.stderr


def test_the_account_is_the_typed_one_then_the_exported_one_then_the_default() -> None:
    both = {**typed(ACCOUNT="dev"), "ACCOUNT": "prod"}
    assert make_variables.account(both, "local") == "dev"
    assert make_variables.account({"ACCOUNT": "prod"}, "local") == "prod"
    assert make_variables.account({"ACCOUNT": ""}, "local") == "local"


def test_a_module_gets_what_was_typed_as_one_argument_and_no_shell(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nasty = f"$(touch {tmp_path / 'marker'}) \"';`x`"
    calls: list[tuple[str, ...]] = []
    asked: list[dict[str, str]] = []

    def run_module(_: object, *arguments: str, **variables: str) -> int:
        calls.append(arguments)
        asked.append(variables)
        return 0

    monkeypatch.setattr(up, "run_module", run_module)
    monkeypatch.delenv("ACCOUNT", raising=False)
    for command, variables in (
        (["tracing"], typed(ID=nasty, ACCOUNT="dev")),
        (["drills", "run"], typed(NAME=nasty, ACCOUNT="dev", CONFIRM="dev")),
    ):
        with monkeypatch.context() as patch:
            for name, text in variables.items():
                patch.setenv(name, text)
            assert cli.main(command) == 0
    assert calls == [("dev", "tracing", "--", nasty), ("dev", "drills", "run", "--", nasty)]
    assert asked == [{"CONFIRM": ""}, {"CONFIRM": "dev"}]


@pytest.mark.parametrize("module", ["doctor", "drills", "load", "tracing"])
def test_a_module_that_cannot_begin_ends_as_it_would_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], module: str
) -> None:
    def run_module(*_: object, **__: str) -> int:
        raise ToolchainError("There is no account.")

    monkeypatch.setattr(up, "run_module", run_module)
    monkeypatch.setattr(cli, "_require_own_emulator", lambda _: None)
    # What a trace can't do without, and the others refuse.
    if module == "tracing":
        monkeypatch.setenv("TYPED_ID", "an id")
    assert cli.main([module]) == 2
    assert "There is no account." in capsys.readouterr().err


def test_a_confirmation_that_is_only_exported_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, str]] = []

    def run_module(*_: object, **variables: str) -> int:
        asked.append(variables)
        return 0

    monkeypatch.setattr(up, "run_module", run_module)
    monkeypatch.setenv("CONFIRM", "prod")
    assert cli.main(["drills", "all"]) == 0
    assert asked == [{"CONFIRM": ""}]


def test_a_tool_that_runs_make_itself_hands_on_nothing_that_was_typed() -> None:
    environment = {**typed(ID="x", ACCOUNT="dev"), "ACCOUNT": "prod", "MAKEFLAGS": "-- ID=x"}
    given = process_environment(TREE, read_account(TREE, "local"), environment)
    assert given["ACCOUNT"] == "local"
    assert not [name for name in given if name.startswith((make_variables.PREFIX, "MAKEFLAGS"))]
