"""The server: who may read a page, and what else there is."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from threading import Thread

import pytest
import requests

from dashboards.pages import Pages
from dashboards.server import FILES, LOOPBACK, Server, open_server
from project.console import ToolchainError
from tests.dashboards.accounts import NAME, FakeCloudWatch, refused
from tests.support.accounts import DEV

READABLE = ("/", f"/dashboards/{NAME}", f"/dashboards/{NAME}.json", "/static/page.js")


@pytest.fixture(scope="module")
def cloudwatch() -> FakeCloudWatch:
    return FakeCloudWatch()


@pytest.fixture(scope="module")
def server(cloudwatch: FakeCloudWatch) -> Iterator[Server]:
    with open_server(0, Pages(DEV, cloudwatch)) as running:
        thread = Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def get(server: Server, path: str, method: str = "GET", **headers: str) -> requests.Response:
    url = f"http://{LOOPBACK}:{server.server_port}{path}"
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.request(method, url, headers=names, timeout=30)


def raw(server: Server, *lines: str) -> str:
    """What a request of these lines gets, headers and all."""
    with socket.create_connection((LOOPBACK, server.server_port), timeout=30) as connection:
        connection.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode())
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


@pytest.mark.parametrize("path", READABLE)
def test_the_page_itself_and_a_typed_address_are_answered(server: Server, path: str) -> None:
    own = f"127.0.0.1:{server.server_port}"
    local = f"localhost:{server.server_port}"

    assert get(server, path).status_code == 200
    assert get(server, path, Host=local, Sec_Fetch_Site="none").status_code == 200
    same = get(server, path, Sec_Fetch_Site="same-origin", Origin=f"http://{own}")
    assert same.status_code == 200


@pytest.mark.parametrize("path", READABLE)
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example:{port}"},
        {"Host": "127.0.0.1"},
        {"Host": "localhost:1"},
        {"Host": "localhost.evil.example:{port}"},
        {"Host": "127.0.0.1:{port}.evil.example"},
        {"Host": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:1"},
        {"Origin": "null"},
    ],
    ids=str,
)
def test_no_other_site_reads_anything(server: Server, path: str, headers: dict[str, str]) -> None:
    sent = {name: value.format(port=server.server_port) for name, value in headers.items()}
    answer = get(server, path, **sent)

    assert answer.status_code == 403
    assert answer.text == "Open this page by its own address."
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_host_header_that_is_repeated_or_missing_is_refused(server: Server) -> None:
    own = f"Host: 127.0.0.1:{server.server_port}"

    assert " 200 " in raw(server, "GET / HTTP/1.1", own)
    assert " 403 " in raw(server, "GET / HTTP/1.1", own, "Host: evil.example")
    assert " 403 " in raw(server, "GET / HTTP/1.0")


def test_it_listens_on_loopback_alone(server: Server) -> None:
    assert server.server_address[0] == LOOPBACK


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_it_only_reads(server: Server, method: str) -> None:
    assert get(server, "/", method).status_code == 501


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/dashboards/{NAME}?range=1d", 200),
        (f"/dashboards/{NAME}?range=forever", 200),
        ("/dashboards/landing-prod-edge", 404),
        ("/dashboards/landing-prod-edge.json", 404),
        ("/static/../server.py", 404),
        ("/static/%2e%2e/server.py", 404),
        ("/static/uPlot-1.6.32.LICENSE", 404),
        ("/x", 404),
        *((path, 200) for path in FILES),
    ],
)
def test_there_is_nothing_else(server: Server, path: str, status: int) -> None:
    assert f" {status} " in raw(
        server, f"GET {path} HTTP/1.1", f"Host: localhost:{server.server_port}"
    )


@pytest.mark.parametrize(
    ("path", "method"), [("/", "GET"), ("/x", "GET"), ("/", "POST"), (READABLE[2], "GET")]
)
def test_every_answer_lets_nothing_run_that_is_not_ours(
    server: Server, path: str, method: str
) -> None:
    headers = get(server, path, method).headers

    policy = dict(
        part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";")
    )
    assert policy == {
        **dict.fromkeys(("script-src", "style-src", "connect-src", "img-src"), "'self'"),
        **dict.fromkeys(("default-src", "frame-ancestors", "base-uri", "form-action"), "'none'"),
    }
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_credentials_that_expire_while_it_runs_are_a_sentence(
    server: Server, cloudwatch: FakeCloudWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(cloudwatch.down, "everywhere", refused("ListDashboards", "ExpiredToken"))
    answer = get(server, READABLE[2])

    assert answer.status_code == 502
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "sign in to 111111111111" in answer.text


def test_a_port_in_use_is_a_sentence(server: Server) -> None:
    with pytest.raises(ToolchainError, match=r"DASHBOARD_PORT to a free port\.$"):
        open_server(server.server_port, Pages(DEV, FakeCloudWatch()))
