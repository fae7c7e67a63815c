"""What is compared: this project's package, and others that do the same."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from project.console import ToolchainError, say
from project.file_lock import exclusive
from project.paths import TREE
from toolchain.package import RUNTIME, Requirement, find_interpreter, locked

RIVALS = Path(__file__).parent / "rivals"
DRIVER = Path(__file__).parent / "driver.py"
# What Lambda's Python runtime has beside a package: boto3 and what that needs.
OF_THE_RUNTIME = frozenset(
    {"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"}
)
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"
SETTINGS = {
    "PYTHONDONTWRITEBYTECODE": "1",  # no function can write beside its own code
    "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:9",
    "_X_AMZN_TRACE_ID": TRACE,
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "TABLE_NAME": "items",
    "CLIENT_IDS": "benchmarks",
    "MAX_ITEMS_PER_OWNER": "10000",
    "STANDBY_REGION": "us-west-2",
    "POWERTOOLS_SERVICE_NAME": "items",
    "POWERTOOLS_METRICS_NAMESPACE": "benchmarks",
}


@dataclass(frozen=True, slots=True)
class Package:
    """A package, unpacked.

    bytes is its size as a zip with its SDK. traces: whether X-Ray gets anything of it, as no
    request is traced otherwise. calls_botocore: whether it calls a client of botocore's itself,
    and so can be measured without.
    """

    name: str
    paths: tuple[Path, ...]
    bytes: int
    traces: bool = False
    calls_botocore: bool = False

    def run(self, python: Path, table: str, *mode: str) -> Any:  # noqa: ANN401 - the driver's JSON
        """Run the driver beside it, in a process of its own; ToolchainError when that fails."""
        environment = {
            **SETTINGS,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(map(str, self.paths)),
            "LAMBDA_TASK_ROOT": str(self.paths[0]),
            "AWS_ENDPOINT_URL": table,
        }
        command = [str(python), "-P", "-s", str(DRIVER), *mode]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ToolchainError(f"{self.name} failed:\n{done.stderr}")
        return json.loads(done.stdout.splitlines()[-1])


def interpreter() -> Path:
    """Find the Python of the function's runtime. Raises ToolchainError where there is none."""
    found = find_interpreter(RUNTIME, os.environ)
    if found is None:
        version = "{}.{}".format(*RUNTIME)
        raise ToolchainError(
            f"This needs Python {version}, the function's runtime, and there is none here: "
            f"`.venv/bin/uv python install {version}` gets it, and so do pyenv and apt."
        )
    return found


def ours(folder: Path) -> Package:
    """Unpack this project's package. Raises ToolchainError before it is built."""
    if not TREE.package.exists():
        raise ToolchainError("The function's package is missing: run `make package` first.")
    target = folder / "ours"
    with zipfile.ZipFile(TREE.package) as archive:
        archive.extractall(target)
    size = TREE.package.stat().st_size
    return Package("ours", (target,), size, traces=True, calls_botocore=True)


def floor(folder: Path, python: Path) -> Package:
    """Make the package of a bare handler."""
    target = _handler("floor", folder / "floor")
    _compile(python, target)
    return Package("floor", (target,), _zipped([target], bytecode=True))


def rivals(folder: Path, python: Path) -> list[Package]:
    """Make the packages of FastAPI, as pip makes it and with bytecode, and of Powertools.

    Raises ToolchainError when what they need can't be had.
    """
    runtime = _installed("fastapi", python, of_the_runtime=True)
    shipped = _with_handler("fastapi", folder / "shipped", python)
    compiled = _with_handler("fastapi", folder / "compiled", python)
    powertools = _with_handler("powertools", folder / "powertools", python)
    for target in (compiled, powertools):
        _compile(python, target)
    return [
        replace(_beside(runtime, "FastAPI as shipped", shipped, False), calls_botocore=True),
        replace(_beside(runtime, "FastAPI with bytecode", compiled, True), calls_botocore=True),
        replace(_beside(runtime, "Powertools", powertools, True), traces=True),
    ]


def _beside(runtime: Path, name: str, target: Path, bytecode: bool) -> Package:
    return Package(name, (target, runtime), _zipped([target, runtime], bytecode=bytecode))


def all_packages(folder: Path, python: Path) -> list[Package]:
    """Make every package, this project's first."""
    return [ours(folder), *rivals(folder, python), floor(folder, python)]


def install(python: Path, target: Path, requirements: Iterable[Requirement]) -> None:
    """Install locked distributions into a folder: wheels with the lock's hashes, and no others.

    Raises ToolchainError when that can't be done; uv says why.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as lock:
        lock.write("".join(f"{each.lines}\n" for each in requirements))
        lock.flush()
        # The locked one: the same lock gives the same files everywhere.
        uv = [str(TREE.uv), "pip", "install", "--quiet", "--python", str(python)]
        uv += ["--target", str(target), "--require-hashes", "--no-deps", "--only-binary", ":all:"]
        done = subprocess.run([*uv, "--requirement", lock.name], check=False)
    if done.returncode != 0:
        raise ToolchainError(
            "The packages to compare with could not be installed: see above. Without a way to the "
            "package index, set UV_INDEX_URL (a mirror) or https_proxy, then run this again."
        )


def _installed(rival: str, python: Path, *, of_the_runtime: bool) -> Path:
    """Install a part of a rival's lock once; only the runtime's has bytecode."""
    text = (RIVALS / rival / "requirements.txt").read_text()
    part = [each for each in locked(text) if (each.name in OF_THE_RUNTIME) is of_the_runtime]
    about = f"{python} {of_the_runtime} {[each.lines for each in part]}"
    kept = TREE.tools / "benchmarks" / hashlib.sha256(about.encode()).hexdigest()[:16]
    with exclusive(TREE.lock("benchmarks"), "installation of what is compared"):
        if not kept.is_dir():
            kept.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
                say(f"  installing what is compared with, for {rival} (once)")
                fresh = Path(scratch) / "packages"
                install(python, fresh, part)
                if of_the_runtime:
                    _compile(python, fresh)
                fresh.replace(kept)
    return kept


def _with_handler(rival: str, target: Path, python: Path) -> Path:
    shutil.copytree(_installed(rival, python, of_the_runtime=False), target)
    return _handler(rival, target)


def _handler(rival: str, target: Path) -> Path:
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(RIVALS / rival / "lambda_function.py", target)
    return target


def _compile(python: Path, target: Path) -> None:
    # As this project's: never checked against the source, whose times a copy changes.
    command = [str(python), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([*command, str(target)], check=True)


def _zipped(folders: Iterable[Path], *, bytecode: bool) -> int:
    """Give the size of folders' files in one zip, with or without their bytecode."""
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for folder in folders:
                for path in folder.rglob("*"):
                    wanted = path.is_file() and path.name != ".lock"
                    if wanted and (bytecode or path.suffix != ".pyc"):
                        archive.write(path, path.relative_to(folder))
        return file.tell()
