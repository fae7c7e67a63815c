"""What a person types after `make`, such as NAME=takeover.

The Makefile hands a variable on in the environment, under a prefix and as it was typed. One that
is only inherited isn't among them, save ACCOUNT: runbooks export it for a whole shell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from project.account import LOCAL
from project.console import ToolchainError

PREFIX = "TYPED_"
# How `make` hands variables that were typed for it to a `make` that it runs.
MAKES_OWN = {"MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS"}


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that becomes an argument: of an option, or by itself where there is none.

    `at_most` makes it a whole number from 1 up to that. A flag is 1 or nothing, and becomes its
    option alone.
    """

    name: str
    example: str
    option: str = ""
    required: bool = False
    at_most: int = 0
    flag: bool = False


# By the command line that `make` gives to the toolchain.
VARIABLES: Mapping[str, tuple[Variable, ...]] = {
    "local fault": (
        Variable("REGION", "us-east-1", "--region", required=True),
        Variable("KIND", "hang", "--kind", required=True),
        Variable("MS", "1500", "--milliseconds", at_most=60_000),
    ),
    "local start": (Variable("WITHOUT", "items", "--without"),),
    # Read by the toolchain itself, which checks them here.
    "plan": (
        Variable("SINCE", "origin/main", "--since"),
        Variable("KEEP", "1", "--keep", flag=True),
    ),
    "apply": (Variable("PLAN", "<the name that `make plan` has said>", "--plan"),),
    "local heal": (Variable("REGION", "us-east-1", "--region"),),
    "drills run": (Variable("NAME", "region-lost"),),
    "releases rollback": (
        Variable("REGION", "us-east-1", "--region"),
        Variable("VERSION", "7", "--version", at_most=999_999_999),
    ),
    "mutants": (
        Variable("WHERE", "drills", "--where"),
        Variable("COUNT", "40", "--count", at_most=100_000),
        Variable("SEED", "7", "--seed", at_most=999_999_999),
    ),
    "bench": (
        Variable("RUNS", "9", "--runs", at_most=1000),
        Variable("JSON", "1", "--json", flag=True),
    ),
    "load": (
        Variable("USERS", "20", "--users", at_most=1_000),
        Variable("RATE", "5", "--rate", at_most=1_000),
        Variable("MINUTES", "1", "--minutes", at_most=240),
    ),
    "doctor": (Variable("JSON", "1", "--json", flag=True),),
    "drift": (Variable("JSON", "1", "--json", flag=True),),
    "tracing": (
        # A year: no log is kept for longer.
        Variable("MINUTES", "10", "--minutes", at_most=527_040),
        Variable("ID", "<any id of the answer's headers>", required=True),
    ),
}


# What else each command takes; what none takes would be ignored without a word.
ALSO_TAKEN: Mapping[str, tuple[str, ...]] = {
    "env": ("ACCOUNT", "SHELL_KIND"),
    "e2e": ("ACCOUNT",),
    "sign-in": ("ACCOUNT",),
    "owners": ("ACCOUNT",),
    "plan": ("ACCOUNT",),
    "apply": ("ACCOUNT",),
    "unit": ("TESTS",),
    "test": ("TESTS",),
    "dashboards": ("ACCOUNT",),
    "doctor": ("ACCOUNT",),
    "drift": ("ACCOUNT",),
    "tracing": ("ACCOUNT",),
    "load": ("ACCOUNT", "CONFIRM"),
    "drills run": ("ACCOUNT", "CONFIRM"),
    "drills all": ("ACCOUNT", "CONFIRM"),
    "drills list": ("ACCOUNT",),
    "drills report": ("ACCOUNT",),
    "drills takeover": ("ACCOUNT",),
    "drills failback": ("ACCOUNT",),
    "drills pause-writes": ("ACCOUNT",),
    "drills resume-writes": ("ACCOUNT",),
    "releases rollback": ("ACCOUNT",),
    "releases list": ("ACCOUNT",),
}
# The embedded AWS is the only one that these can be meant for.
LOCAL_COMMANDS = ("up", "down", "test", "alarms", "local")


def require_taken(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Refuse what was typed and has no effect, and another account where only local can be meant.

    Raises ToolchainError that names it.
    """
    if command[0] in LOCAL_COMMANDS:
        _require_local(environment)
    name = " ".join(command)
    taken = {*(each.name for each in VARIABLES.get(name, ())), *ALSO_TAKEN.get(name, ())}
    # Whoever says what is meant anyway is not wrong.
    said = taken | {"ACCOUNT"} if typed("ACCOUNT", environment) == LOCAL else taken
    for variable in sorted(_typed_names(environment) - said):
        rest = f"it takes {', '.join(sorted(taken))}" if taken else "it takes none"
        raise ToolchainError(
            f"{variable}={typed(variable, environment)} has no effect on this command: {rest}."
        )


def _require_local(environment: Mapping[str, str]) -> None:
    other = account(environment, LOCAL)
    if other != LOCAL:
        do = "leave it out" if typed("ACCOUNT", environment) else "this shell exports it: unset it"
        raise ToolchainError(
            f"This works on the embedded AWS alone, not on ACCOUNT={other} ({do}). "
            "docs/deployment-guide.md says how a real account is deployed, looked at and removed."
        )


def _typed_names(environment: Mapping[str, str]) -> set[str]:
    names = (name for name, text in environment.items() if name.startswith(PREFIX) and text)
    return {name.removeprefix(PREFIX) for name in names}


def untyped(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out what was typed for this command: it isn't for another that this one runs."""
    left_out = {name for name in environment if name.startswith(PREFIX)} | MAKES_OWN
    return {name: value for name, value in environment.items() if name not in left_out}


def typed(name: str, environment: Mapping[str, str]) -> str:
    """Give a variable's text, letter for letter; empty when it wasn't typed."""
    return environment.get(f"{PREFIX}{name}", "")


def account(environment: Mapping[str, str], default: str) -> str:
    """Name the account: as typed, else as the shell exports it, else the default."""
    return typed("ACCOUNT", environment) or environment.get("ACCOUNT") or default


def arguments(command: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """Turn what was typed into a command's arguments; none where it has its own already.

    Raises ToolchainError for what is missing, or isn't a number that should be one.
    """
    variables = VARIABLES.get(" ".join(command), ())
    given = {each.name: typed(each.name, environment) for each in variables}
    for each in variables:
        _require_number(each, given[each.name])
    missing = [f"{each.name}={each.example}" for each in variables if _lacks(each, given)]
    if missing:
        raise ToolchainError(f"Say which as well: {' '.join(missing)}, for example.")
    if "KIND" in given and (given["KIND"] == "slow") != bool(given["MS"]):
        raise ToolchainError("KIND=slow needs MS= (milliseconds), and no other KIND takes it.")
    return [part for each in variables if given[each.name] for part in _argument(each, given)]


def _lacks(variable: Variable, given: Mapping[str, str]) -> bool:
    return variable.required and not given[variable.name]


def _require_number(variable: Variable, text: str) -> None:
    if not text or not variable.at_most:
        return
    advice = f"{variable.name}={variable.example}, for example"
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ToolchainError(f"{variable.name}={text} is no whole number: {advice}.")
    if not 1 <= int(text) <= variable.at_most:
        raise ToolchainError(
            f"{variable.name}={text} is not from 1 to {variable.at_most}: {advice}."
        )


def _argument(variable: Variable, given: Mapping[str, str]) -> list[str]:
    text = given[variable.name]
    if variable.flag:
        if text != "1":
            raise ToolchainError(f"{variable.name} is {variable.example}, or isn't typed at all.")
        return [variable.option]
    # With a dash in front, it would be an option of its own otherwise.
    return [f"{variable.option}={text}"] if variable.option else ["--", text]
