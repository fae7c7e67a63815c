"""What a person types after `make`, such as NAME=takeover.

The Makefile hands a variable on in the environment, under a prefix and as it was typed. One that
is only inherited isn't among them, save ACCOUNT: runbooks export it for a whole shell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from project.console import ToolchainError

PREFIX = "TYPED_"


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that becomes an argument: of an option, or by itself where there is none.

    A flag is 1 or nothing, and becomes its option alone.
    """

    name: str
    example: str
    option: str = ""
    required: bool = False
    whole_number: bool = False
    flag: bool = False


# By the command line that `make` gives to the toolchain.
VARIABLES: Mapping[str, tuple[Variable, ...]] = {
    "local fault": (
        Variable("REGION", "us-east-1", "--region", required=True),
        Variable("KIND", "hang", "--kind", required=True),
        Variable("MS", "1500", "--milliseconds", whole_number=True),
    ),
    "local start": (Variable("WITHOUT", "items", "--without"),),
    "local heal": (Variable("REGION", "us-east-1", "--region"),),
    "drills run": (Variable("NAME", "region-lost"),),
    "doctor": (Variable("JSON", "1", "--json", flag=True),),
    "tracing": (
        Variable("MINUTES", "10", "--minutes", whole_number=True),
        Variable("ID", "<any id of the answer's headers>", required=True),
    ),
}


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
    missing = [f"{each.name}={each.example}" for each in variables if _lacks(each, given)]
    if missing:
        raise ToolchainError(f"Say which as well: {' '.join(missing)}, for example.")
    if "KIND" in given and (given["KIND"] == "slow") != bool(given["MS"]):
        raise ToolchainError("KIND=slow needs MS= (milliseconds), and no other KIND takes it.")
    return [part for each in variables if given[each.name] for part in _argument(each, given)]


def _lacks(variable: Variable, given: Mapping[str, str]) -> bool:
    return variable.required and not given[variable.name]


def _argument(variable: Variable, given: Mapping[str, str]) -> list[str]:
    text = given[variable.name]
    if variable.whole_number and not re.fullmatch(r"[0-9]{1,9}", text):
        raise ToolchainError(
            f"{variable.name}={text} is no whole number: {variable.name}={variable.example}, "
            "for example."
        )
    if variable.flag:
        if text != "1":
            raise ToolchainError(f"{variable.name} is {variable.example}, or isn't typed at all.")
        return [variable.option]
    # With a dash in front, it would be an option of its own otherwise.
    return [f"{variable.option}={text}"] if variable.option else ["--", text]
