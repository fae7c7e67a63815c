"""The functions run on what the package holds and the runtime's Python, and on nothing else."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from project.paths import TREE
from tests.unit.support import CLIENT_ID, REGION, event
from toolchain.package import RUNTIME, build_package, find_interpreter

if TYPE_CHECKING:
    from collections.abc import Iterator

# -I and -S: no environment variable and no site-packages adds to sys.path.
ALONE = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
import lambda_function, health_function
for line in sys.stdin:
    os.environ["_X_AMZN_TRACE_ID"], raw = json.loads(line)
    function = health_function if raw["path"].startswith("/health") else lambda_function
    print(json.dumps(function.handler(raw, None)))
own = {name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names - {"__main__"}
print(json.dumps({name: sys.modules[name].__file__ for name in own}))
client = health_function.api._probe._client
print(json.dumps([client.get_paginator("query").__class__.__name__,
                  client.get_waiter("table_exists").name]))
"""
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled="


class Table(BaseHTTPRequestHandler):
    """Answers as DynamoDB does where there is room and nothing yet."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].partition(".")[2]
        answer = {
            "UpdateItem": {"Attributes": {"item_count": {"N": "1"}}},
            "Query": {"Items": [], "Count": 0},
        }.get(operation, {})
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - http.server's name
        pass


@pytest.fixture(scope="module")
def table() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Table) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package is unpacked."""
    build_package(TREE)
    folder = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(TREE.package) as contents:
        contents.extractall(folder)
    return folder


def test_both_functions_run_on_the_package_alone_and_trace_what_is_sampled(
    task: Path, table: str
) -> None:
    python = find_interpreter(RUNTIME, os.environ)
    assert python, "tests of the package need a Python {}.{}".format(*RUNTIME)
    made = event("POST", "/v1/items", body={"title": "x"}, headers={"Idempotency-Key": "k"})
    calls = [
        (f"{TRACE}0", made),
        (f"{TRACE}1", made),
        (f"{TRACE}0", event("GET", "/v1/items")),
        ("", event("GET", "/health/ready", user=None)),
    ]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(5)
        done = subprocess.run(
            [str(python), "-I", "-S", "-B", "-c", ALONE, str(task)],
            input="".join(f"{json.dumps(call)}\n" for call in calls),
            env={
                "PATH": os.defpath,
                "LAMBDA_TASK_ROOT": str(task),
                "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.getsockname()[1]}",
                "AWS_ENDPOINT_URL": table,
                "AWS_ACCESS_KEY_ID": "none",
                "AWS_SECRET_ACCESS_KEY": "none",
                "AWS_REGION": REGION,
                "TABLE_NAME": "items",
                "CLIENT_IDS": CLIENT_ID,
                "MAX_ITEMS_PER_OWNER": "10",
                "STANDBY_REGION": "us-west-2",
                "POWERTOOLS_SERVICE_NAME": "items",
                "POWERTOOLS_METRICS_NAMESPACE": "landing-test",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        segments: list[str] = []
        while not any('"name": "## handler"' in segment for segment in segments):
            segments.append(daemon.recv(65_536).decode())
    lines = [json.loads(line) for line in done.stdout.splitlines() if line]
    answers = [line["statusCode"] for line in lines if "statusCode" in line]
    assert answers == [201, 201, 200, 200]
    origins, parts = lines[-2:]
    assert {"botocore", "aws_xray_sdk", "urllib3", "items"} <= set(origins)
    assert [name for name, file in origins.items() if not file.startswith(str(task))] == []
    assert parts == ["DynamoDB.Paginator.Query", "TableExists"]
    calls_traced = [one["aws"]["operation"] for one in map(subsegment, segments) if "aws" in one]
    # Before them the fence's row, where two seconds have gone by.
    assert calls_traced[-2:] == ["UpdateItem", "PutItem"]


def subsegment(packet: str) -> dict[str, dict[str, str]]:
    """Read what the X-Ray SDK sent."""
    document: dict[str, dict[str, str]] = json.loads(packet.partition("\n")[2])
    return document
