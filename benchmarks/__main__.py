"""`make bench`: the function beside the same API in other clothes, in one run on this machine.

The packages take turns, each in a fresh process of the runtime's Python, so that a busy moment
strikes all. Budgets are ratios to FastAPI with bytecode: 1 when one is missed, 2 when nobody could
look.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import comparison
from benchmarks.packages import RIVALS, Package, all_packages, interpreter
from benchmarks.table import table
from project.console import ToolchainError, files_explained, say
from project.paths import TREE

COULD_NOT_LOOK, INTERRUPTED = 2, 130
RUNS, REQUESTS = 9, 60


def measure(
    packages: Sequence[Package], python: Path, runs: int
) -> dict[str, list[dict[str, Any]]]:
    """Run every package cold and warm, by turns. Raises ToolchainError when one fails."""
    measured: dict[str, list[dict[str, float]]] = {package.name: [] for package in packages}
    with table() as url:
        for number in range(1, runs + 1):
            say(f"  run {number} of {runs}")
            for package in packages:
                figures = package.run(python, url, "cold")
                figures |= package.run(python, url, "warm", str(REQUESTS))
                if package.traces:
                    figures |= package.run(python, url, "traced", str(REQUESTS))
                if package.calls_botocore:
                    figures |= package.run(python, url, "alone", str(REQUESTS))
                measured[package.name].append(figures | {"bytes": package.bytes})
    return measured


def about(python: Path, runs: int) -> dict[str, Any]:
    """Say what was measured, on what."""
    version = subprocess.run([str(python), "-V"], capture_output=True, text=True, check=True)
    return {
        "python": version.stdout.strip().removeprefix("Python "),
        "machine": f"{os.cpu_count()} cores, {_processor()}, {platform.system()}",
        "load": [round(load, 1) for load in os.getloadavg()],
        "runs": runs,
        "versions": _versions(),
    }


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else platform.machine()


def _versions() -> dict[str, str]:
    locks = (TREE.root / "lambda/requirements.txt", *sorted(RIVALS.glob("*/requirements.txt")))
    named = {"aws-lambda-powertools", "boto3", "botocore", "fastapi", "mangum", "pydantic"}
    found = (
        re.findall(r"^([a-z0-9-]+)==([^ ]+)", lock.read_text(), re.MULTILINE) for lock in locks
    )
    return {name: version for pairs in found for name, version in pairs if name in named}


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 0 when every budget is kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help="fresh processes of each kind")
    parser.add_argument("--json", action="store_true", help="for machines")
    parsed = parser.parse_args(arguments)
    try:
        with files_explained(), tempfile.TemporaryDirectory() as scratch:
            python = interpreter()
            packages = all_packages(Path(scratch), python)
            measured = measure(packages, python, parsed.runs)
            context = about(python, parsed.runs)
    except ToolchainError as error:
        say(str(error))
        return COULD_NOT_LOOK
    except KeyboardInterrupt:
        return INTERRUPTED
    rows = comparison.rows(measured)
    if parsed.json:
        print(json.dumps(comparison.document(rows, context), indent=2))
    else:
        print(_text(rows, context, [package.name for package in packages]))
    return 0 if all(row.kept for row in rows) else 1


def _text(rows: list[comparison.Row], context: dict[str, Any], names: list[str]) -> str:
    versions = ", ".join(
        f"{name} {version}" for name, version in sorted(context["versions"].items())
    )
    load = " ".join(map(str, context["load"]))
    return (
        f"{comparison.table(rows, names)}\n\n"
        f"Python {context['python']}; {versions}. {context['machine']}; load {load}. Medians of "
        f"{context['runs']} runs and half of what lies between their quartiles; times are the "
        "processor's. The ratio is ours to FastAPI with bytecode."
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
