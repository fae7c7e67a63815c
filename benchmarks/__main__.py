"""`python -m benchmarks`: measures the budgets of the function, in ratios to FastAPI, in one run.

Run it as `.venv/bin/python -m benchmarks`, after `make install package`; it needs the Python of the
runtime. Exit status 1 when a budget is missed. What is beside each package on Lambda (boto3 and
what it needs) is installed once, with its bytecode, and shared; a package of FastAPI is its
sources, as `pip install --target` and zip make it without further care. FastAPI's version never
traces, so the budgets are for requests that X-Ray didn't pick; those that it did are shown beside
them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import zipfile
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from project.paths import TREE
from toolchain.package import RUNTIME, Requirement, find_interpreter, locked

HERE = Path(__file__).parent
OF_THE_RUNTIME = (
    "boto3",
    "botocore",
    "jmespath",
    "python-dateutil",
    "s3transfer",
    "six",
    "urllib3",
)
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
COLD_BUDGET, WARM_BUDGET, SIZE_BUDGET = 0.5, 0.45, 1 / 3


@dataclass(frozen=True, slots=True)
class Package:
    """A package on disk, unpacked; bytes is the size of its zip with boto3, if it brings that."""

    name: str
    path: Path
    bytes: int


class Table(BaseHTTPRequestHandler):
    """Says yes to every write, as DynamoDB would."""

    def do_POST(self) -> None:
        """Answer `{}`."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""


def install(target: Path, requirements: list[Requirement]) -> None:
    """Install locked distributions into a folder: wheels with the lock's hashes, and no others."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as lock:
        lock.write("".join(f"{each.lines}\n" for each in requirements))
        lock.flush()
        uv = [str(TREE.uv), "pip", "install", "--quiet", "--python", _python()]
        uv += ["--target", str(target), "--require-hashes", "--no-deps", "--only-binary", ":all:"]
        done = subprocess.run([*uv, "--requirement", lock.name], check=False)
    if done.returncode != 0:
        raise SystemExit("The packages to compare with could not be installed: see above.")


def zipped(folders: list[Path]) -> int:
    """Give the size of folders' files in one zip, bytecode left out."""
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for folder in folders:
                for path in folder.rglob("*"):
                    if path.is_file() and path.suffix != ".pyc" and path.name != ".lock":
                        archive.write(path, path.relative_to(folder))
        return file.tell()


def prepare(scratch: Path) -> tuple[Path, Package, Package]:
    """Make the runtime's folder and both packages."""
    if not (TREE.uv.exists() and TREE.package.exists()):
        raise SystemExit(
            "Run `make install package` first: uv or the function's package is missing."
        )
    runtime, rival, ours = scratch / "runtime", scratch / "rival", scratch / "task"
    requirements = locked((HERE / "requirements.txt").read_text())
    install(runtime, [each for each in requirements if each.name in OF_THE_RUNTIME])
    compile_all = [_python(), "-m", "compileall", "-q", str(runtime)]
    subprocess.run(compile_all, check=True)
    install(rival, [each for each in requirements if each.name not in OF_THE_RUNTIME])
    (rival / "lambda_function.py").write_text((HERE / "rival/lambda_function.py").read_text())
    with zipfile.ZipFile(TREE.package) as archive:
        archive.extractall(ours)
    return (
        runtime,
        Package("ours", ours, TREE.package.stat().st_size),
        Package("FastAPI", rival, zipped([rival, runtime])),
    )


def measure(package: Package, runtime: Path, port: int, *mode: str) -> dict[str, float]:
    """Run the driver in a fresh process, beside one package."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{package.path}:{runtime}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LAMBDA_TASK_ROOT": str(package.path),
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:9",
        "_X_AMZN_TRACE_ID": TRACE,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
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
    command = [_python(), "-P", str(HERE / "driver.py"), *mode]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{package.name}: {done.stderr}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def compare(runs: int) -> bool:
    """Measure, print the table, and tell whether every budget is kept."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Table)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    with tempfile.TemporaryDirectory() as scratch:
        runtime, *packages = prepare(Path(scratch))
        cold: dict[str, list[dict[str, float]]] = {package.name: [] for package in packages}
        warm: dict[str, list[dict[str, float]]] = {package.name: [] for package in packages}
        for _ in range(runs):  # by turns, so that a busy moment strikes both
            for package in packages:
                cold[package.name].append(measure(package, runtime, port, "cold"))
                warm[package.name].append(measure(package, runtime, port, "warm", "400"))
    server.shutdown()
    kept = True
    rows = [
        ("import, ms", cold, "import", 1e3, None),
        ("first POST, ms", cold, "first", 1e3, None),
        ("cold start, ms", cold, "cold", 1e3, COLD_BUDGET),
        ("warm POST, us", warm, "POST", 1e6, WARM_BUDGET),
        ("warm GET, us", warm, "GET", 1e6, WARM_BUDGET),
        ("traced POST, us", warm, "POST traced", 1e6, None),
        ("traced GET, us", warm, "GET traced", 1e6, None),
    ]
    print(f"{'':18}{'ours':>9}{'FastAPI':>9}{'ratio':>8}{'budget':>8}")
    for label, figures, key, scale, budget in rows:
        mine, theirs = (
            statistics.median(run[key] for run in figures[package.name]) * scale
            for package in packages
        )
        kept &= _row(label, mine, theirs, budget)
    mine, theirs = (package.bytes / 1e6 for package in packages)
    return _row("package, MB", mine, theirs, SIZE_BUDGET) and kept


def _row(label: str, mine: float, theirs: float, budget: float | None) -> bool:
    ratio = mine / theirs
    limit = f"{budget:8.2f}" if budget else ""
    kept = budget is None or ratio <= budget
    print(f"{label:18}{mine:9.1f}{theirs:9.1f}{ratio:8.2f}{limit}{'' if kept else '  missed'}")
    return kept


def _python() -> str:
    """Find the interpreter that the package was compiled for."""
    found = find_interpreter(RUNTIME, os.environ)
    if found is None:
        raise SystemExit("Install Python {}.{} first: pyenv, uv or apt.".format(*RUNTIME))
    return str(found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="fresh processes of each kind")
    sys.exit(0 if compare(parser.parse_args().runs) else 1)
