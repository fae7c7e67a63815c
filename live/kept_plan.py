"""Sees to it that a plan is applied for the inputs that it was made for, and for no others.

The root terragrunt.hcl runs it for each unit whose plan is written to a file, and again before that
file is applied. A saved plan holds its unit's inputs, and Terraform applies it whatever they are by
then (it warns at most): a unit that reads another's outputs would be built on what they were before
that other one was applied. What Terragrunt gives a unit stands in this process's environment.
"""

import hashlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

# How Terraform is given its inputs
# (developer.hashicorp.com/terraform/cli/config/environment-variables).
PREFIX: Final = "TF_VAR_"
REFUSED: Final = 3


def digest(environment: Mapping[str, str]) -> str:
    """Identify a unit's inputs. They may hold secrets, so that they aren't kept themselves."""
    given = sorted((name, text) for name, text in environment.items() if name.startswith(PREFIX))
    return hashlib.sha256(repr(given).encode()).hexdigest()


def beside(plan: Path) -> Path:
    """Name the file that a plan's inputs are known by."""
    return plan.with_name(f"{plan.name}.inputs")


def keep(plan: Path, environment: Mapping[str, str]) -> None:
    """Write down which inputs a plan was made for."""
    beside(plan).write_text(digest(environment))


def refusal(plan: Path, environment: Mapping[str, str]) -> str:
    """Say why a plan must not be applied; empty when it may."""
    if not plan.is_file():
        return f"There is no plan {plan}: this unit wasn't planned."
    if not beside(plan).is_file():
        return f"Nobody wrote down which inputs {plan} was made for: plan again, and apply that."
    if beside(plan).read_text() != digest(environment):
        return (
            f"{plan} is stale: what this unit reads of others has changed since it was made. It is "
            "not applied, nor is what waits for it. Plan again, and apply that."
        )
    return ""


def main(task: str, name: str) -> int:
    """Keep or check; a refusal is said on stderr, and its status is 3."""
    plan = Path(name)
    if task == "keep":
        keep(plan, os.environ)
        return 0
    why = refusal(plan, os.environ)
    if why:
        sys.stderr.write(f"{why}\n")
    return REFUSED if why else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
