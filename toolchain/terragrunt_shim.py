"""Turns the older spelling `terragrunt run-all …` into what Terragrunt 1.x understands.

The shell script .tools/bin/terragrunt passes every other command on without coming here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

SHIM = """\
#!/bin/sh
# Terragrunt dropped `run-all` in v0.90: toolchain/terragrunt_shim.py respells that command.
real="${0%/*}/../libexec/terragrunt"
# The AWS provider's start is mostly garbage collection, and an apply starts it four times a unit:
# collecting less often saves more than a quarter of all the processor time, for some memory.
export GOGC="${GOGC:-400}" GOMEMLIMIT="${GOMEMLIMIT:-1GiB}"
# Terraform asks its maker for news of versions, of which this one is pinned.
export CHECKPOINT_DISABLE="${CHECKPOINT_DISABLE:-true}"
for argument; do
  if [ "$argument" = run-all ]; then
    exec python3 -I -S "${0%/*}/../../toolchain/terragrunt_shim.py" "$real" "$@"
  fi
done
exec "$real" "$@"
"""

# Terragrunt's own flags that take a value in the next argument, as run-all knew them.
TAKES_VALUE = frozenset(
    {
        "config", "download-dir", "exclude-dir", "filter", "include-dir", "log-format",
        "log-level", "out-dir", "json-out-dir", "parallelism", "queue-exclude-dir",
        "queue-include-dir", "report-file", "report-format", "source", "tf-path", "tfpath",
        "working-dir",
    }
)  # fmt: skip
# Flags that 1.x spells otherwise than by leaving the prefix `--terragrunt-` out.
RENAMED = {
    "include-dir": "queue-include-dir",
    "exclude-dir": "queue-exclude-dir",
    "ignore-dependency-order": "queue-ignore-dag-order",
    "ignore-dependency-errors": "queue-ignore-errors",
    "tfpath": "tf-path",
}
PREFIX = "--terragrunt-"


def respell(arguments: Sequence[str]) -> list[str]:
    """Rewrite `run-all` arguments; anything else comes back as it is.

    Terragrunt's flags (two dashes) go before `--`, the command and Terraform's own flags (one
    dash, or anything after a `--` that was typed) behind it, so that each reaches its tool.
    """
    before, command, after = _split(arguments)
    if command is None:
        return list(arguments)
    ours, theirs = _sort(after)
    return [*before, "run", "--all", *ours, *(["--", *theirs] if theirs else [])]


def _split(arguments: Sequence[str]) -> tuple[list[str], str | None, list[str]]:
    # run-all is the command only where the first word that is no flag or value stands.
    skip = False
    for place, argument in enumerate(arguments):
        if skip:
            skip = False
        elif argument == "run-all":
            return [*arguments[:place]], argument, [*arguments[place + 1 :]]
        elif not argument.startswith("-"):
            break
        else:
            skip = _takes_next(argument)
    return [*arguments], None, []


def _sort(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    ours: list[str] = []
    theirs: list[str] = []
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if argument == "--":
            return ours, [*theirs, *rest]
        if not argument.startswith("--"):
            theirs.append(argument)
            continue
        ours.append(_modern(argument))
        if _takes_next(argument) and rest:
            ours.append(rest.pop(0))
    return ours, theirs


def _name(flag: str) -> str:
    return flag.removeprefix(PREFIX).removeprefix("--").partition("=")[0]


def _takes_next(flag: str) -> bool:
    return flag.startswith("--") and "=" not in flag and _name(flag) in TAKES_VALUE


def _modern(flag: str) -> str:
    name = _name(flag)
    value = flag.partition("=")[1] + flag.partition("=")[2]
    return f"--{RENAMED.get(name, name)}{value}"


def main() -> None:
    """Replace this process by the real Terragrunt, which stands first among the arguments."""
    real, *arguments = sys.argv[1:]
    os.execv(real, ["terragrunt", *respell(arguments)])  # noqa: S606 - a shim becomes its tool


if __name__ == "__main__":
    main()
