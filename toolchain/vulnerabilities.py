"""`make vulnerabilities`: what is known of the versions that are locked.

Python packages are looked up by pip-audit at OSV (api.osv.dev), Go programs by govulncheck in Go's
own database (vuln.go.dev). Where they can't be reached that is said, and nothing else.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from project.console import say
from project.paths import Tree
from toolchain import lock_dependencies
from toolchain.install import install

# Every lock of Python packages, as `make lock` writes it.
LOCKS = tuple(job[-1] for job in lock_dependencies.JOBS)
# Under .tools: what is built from Go modules that are locked here, and Terraform.
PROGRAMS = ("libexec", "bin")
SCRIPT = b"#!"
GOVULNCHECK = "golang.org/x/vuln/cmd/govulncheck"
# Its status where something is known; any other is a failure to look.
GO_FOUND = 3
FOUND = 1
COULD_NOT_LOOK = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of one lock or program; `failure` says why nobody could look."""

    name: str
    known: tuple[str, ...] = ()
    failure: str = ""


def look(tree: Tree) -> int:
    """Look up all that is locked: 0 when nothing is known, 1 when something is, else 2."""
    install(tree)
    verdicts = [*_python(tree), *_go(tree)]
    for verdict in verdicts:
        say(f"{verdict.name}: {verdict.failure or _said(verdict.known)}")
    return status(verdicts)


def status(verdicts: Sequence[Verdict]) -> int:
    """Sum up: what is known counts before what nobody could look up."""
    if any(verdict.known for verdict in verdicts):
        return FOUND
    return COULD_NOT_LOOK if any(verdict.failure for verdict in verdicts) else 0


def _said(known: Sequence[str]) -> str:
    return "".join(f"\n  {line}" for line in known) or "nothing known"


def _python(tree: Tree) -> Iterator[Verdict]:
    # A lock with hashes is whole: nothing has to be resolved.
    command = [str(tree.python), "-m", "pip_audit", "--require-hashes", "--disable-pip"]
    command += ["--vulnerability-service", "osv", "--progress-spinner", "off", "--format", "json"]
    for lock in LOCKS:
        done = _run([*command, "--requirement", lock], tree.root)
        yield read_pip_audit(lock, done.stdout, done.stderr)


def read_pip_audit(lock: str, stdout: str, stderr: str) -> Verdict:
    """Read pip-audit's JSON. It ends with 1 for what it found and for its own failures alike."""
    try:
        dependencies: list[dict[str, Any]] = json.loads(stdout)["dependencies"]
    except (ValueError, KeyError):
        return Verdict(lock, failure=f"could not look: {_last(stderr)}")
    known = (
        f"{each['name']} {each['version']}: {known['id']}, "
        f"put right in {', '.join(known['fix_versions']) or 'no version yet'}"
        for each in dependencies
        for known in each.get("vulns", ())
    )
    return Verdict(lock, tuple(known))


def _go(tree: Tree) -> Iterator[Verdict]:
    found = (path for folder in PROGRAMS for path in sorted((tree.tools / folder).glob("*")))
    programs = [path for path in found if path.is_file() and not _is_script(path)]
    checker = tree.tools / "audit" / "govulncheck"
    # `go run` has no status but its own.
    built = _build(tree.root / "toolchain" / "govulncheck", checker)
    for program in programs:
        if built:
            yield Verdict(program.name, failure=f"could not look: {built}")
            continue
        done = _run([str(checker), "-mode=binary", str(program)], tree.root)
        yield read_govulncheck(program.name, done.returncode, done.stdout, done.stderr)


def _is_script(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(SCRIPT)) == SCRIPT


def _build(module: Path, target: Path) -> str:
    """Build the checker as its module locks it; why it can't be, or nothing."""
    if shutil.which("go") is None:
        return "it takes Go, which isn't here"
    # A workspace, or a flag of the person's own, could put another program in its place.
    command = ["go", "build", "-mod=readonly", "-o", str(target), GOVULNCHECK]
    done = _run(command, module, GOFLAGS="", GOWORK="off")
    return "" if done.returncode == 0 else _last(done.stderr)


def read_govulncheck(name: str, code: int, stdout: str, stderr: str) -> Verdict:
    """Read govulncheck's status and text."""
    if code == 0:
        return Verdict(name)
    if code == GO_FOUND:
        return Verdict(name, tuple(stdout.strip().splitlines()))
    return Verdict(name, failure=f"could not look: {_last(stderr)}")


def _last(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _run(
    command: Sequence[str], folder: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
