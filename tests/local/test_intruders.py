"""Who isn't the person at this machine gets nowhere: a page in a browser, and another user."""

from __future__ import annotations

import functools
import http.client
import os
import re
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.local import strange_page
from tests.local.global_layer import GlobalLayer
from tests.local.test_safety import CREATE_USER, nothing_was_done, send
from tests.support.emulator import REGIONS, Emulator, Stack, eventually

REFUSED = re.compile(r"refused: (\S+ \S+): ")
EXPECTED = {f"{asked.method} {asked.path}" for asked in strange_page.ASKED.values()}
NOBODY = 65534
# Until a browser has started, on a machine with much else to do.
BROWSER_SECONDS = 60.0


def as_recorded(emulator: Emulator, refused: Callable[[], set[str]]) -> None:
    """Send what the page's requests were in a browser, one by one."""
    for asked in strange_page.ASKED.values():
        body = CREATE_USER if asked.method == "POST" else ""
        status, answered = send(emulator, asked.method, asked.path, *asked.headers(), body=body)
        assert status == 403
        assert "access-control-allow-origin" not in answered
    assert refused() == EXPECTED


def in_a_browser(emulator: Emulator, refused: Callable[[], set[str]], program: str) -> None:
    """Open the page, and wait until all that it asks for has been refused."""
    with strange_page.opened(program, emulator.settings.endpoint):
        eventually(lambda: refused() == EXPECTED, BROWSER_SECONDS)


def ways() -> list[Callable[[Emulator, Callable[[], set[str]]], None]]:
    """How a page is had here: a browser as well, where the machine has one."""
    program = strange_page.browser()
    return [as_recorded, *([functools.partial(in_a_browser, program=program)] if program else [])]


@pytest.mark.parametrize("way", ways(), ids=["recorded", "browser"][: len(ways())])
def test_a_strange_page_gets_nowhere(
    stack: Stack, way: Callable[[Emulator, Callable[[], set[str]]], None]
) -> None:
    log: Path = stack.emulator.settings.log_file
    before = log.stat().st_size

    def refused() -> set[str]:
        with log.open("rb") as lines:
            lines.seek(before)
            return set(REFUSED.findall(lines.read().decode()))

    way(stack.emulator, refused)

    assert nothing_was_done(stack.emulator)


# A port, a service that signs, a folder: what another user asks for, and what he must not get.
BY_ANOTHER_USER = """
folder=$1 url=$2 pid=$3
cat "$folder"/credentials.json "$folder"/state/* "$folder"/ca/ca.key "$folder"/logs/* 2>/dev/null
cat /proc/"$pid"/environ 2>/dev/null
ask() { curl --disable --noproxy '*' -s -o /dev/null -w "%{http_code} $*\\n" "$@"; }
for user in 000000000000:local 000000000000:none 000000000000:test test:test 111122223333:test; do
    ask --aws-sigv4 aws:amz:us-east-1:lambda --user "$user" "$url/2015-03-31/functions"
    ask --aws-sigv4 aws:amz:us-east-1:iam --user "$user" "$url/" -d Action=ListUsers
done
for token in '' 1 local none; do
    ask -H "x-local-control: $token" "$url/_local/status"
    ask -H "x-local-control: $token" -X DELETE "$url/_local/faults"
    ask -H "x-local-control: $token" -X POST "$url/_local/save"
done
ask -X POST "$url/_ministack/reset"
"""


def test_another_user_of_the_machine_gets_nowhere(stack: Stack) -> None:
    settings, pid = stack.emulator.settings, stack.emulator.status()["pid"]
    # Whoever isn't root can't be another; then the modes of the files say it (test_safety.py).
    other = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    folder = str(settings.state_dir) if other else "/nonexistent"
    command = ["sh", "-c", BY_ANOTHER_USER, "sh", folder, settings.endpoint, str(pid) * bool(other)]

    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **other)  # type: ignore[call-overload]

    lines = done.stdout.splitlines()
    assert len(lines) == 2 * 5 + 3 * 4 + 1, done
    assert [line for line in lines if not line.startswith("403 ")] == []
    assert nothing_was_done(stack.emulator)


HOST = "Host: 127.0.0.1"
UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")  # fmt: skip
PUBLIC = "X-Amz-Target: AWSCognitoIdentityProviderService.InitiateAuth"


@pytest.mark.parametrize(
    "lines",
    [
        ("GET /login HTTP/1.0",),
        ("POST / HTTP/1.0", PUBLIC),
        ("GET / HTTP/1.1", HOST, *UPGRADE),
        ("GET /login HTTP/1.1", HOST, *UPGRADE),
        ("GET /oauth2/authorize HTTP/1.1", HOST, "Origin: https://evil.example", *UPGRADE),
        ("GET /_local/status HTTP/1.1", HOST, "Origin: https://evil.example", *UPGRADE),
        ("GET http://127.0.0.1/_local/status HTTP/1.1", HOST),
        ("GET http://127.0.0.1/_ministack/health HTTP/1.1", HOST),
        ("GET http://127.0.0.1/login HTTP/1.1", "Host: evil.example"),
        ("POST http://127.0.0.1/ HTTP/1.1", HOST, PUBLIC),
        ("CONNECT evil.example:443 HTTP/1.1", HOST),
        ("TRACE / HTTP/1.1", HOST),
        ("TRACE /login HTTP/1.1", HOST),
        ("OPTIONS * HTTP/1.1", HOST),
        ("GET /logout HTTP/1.1", "Host: [::1]"),
        ("GET /logout HTTP/1.1", "Host: [::ffff:127.0.0.1]"),
        ("GET /logout HTTP/1.1", "Host: localhost."),
        ("GET /logout HTTP/1.1", "Host: 2130706433"),
        ("GET /logout HTTP/1.1", "Host: 127.1"),
        ("GET //_local/status HTTP/1.1", HOST),
        ("GET /%5Flocal/status HTTP/1.1", HOST),
        ("GET /%5fministack/health HTTP/1.1", HOST),
        ("GET /_local/owner/../status HTTP/1.1", HOST),
        ("POST /_local/owner HTTP/1.1", HOST),
        ("POST /LOGIN HTTP/1.1", HOST),
        ("POST /login; HTTP/1.1", HOST),
        ("POST /login#/ HTTP/1.1", HOST),
        ("GET /oauth2/authorize HTTP/1.1", HOST, "ORIGIN: https://evil.example"),
        ("GET /oauth2/authorize HTTP/1.1", HOST, "SEC-fetch-DEST: iframe"),
        ("POST /login HTTP/1.1", HOST, "x-AMZ-tArGeT: DynamoDB_20120810.ListTables"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_no_odd_request_gets_further(stack: Stack, lines: tuple[str, ...]) -> None:
    status, answer = raw(stack.emulator.settings.aws_port, *lines, "Content-Length: 0")

    assert status == 403, answer
    assert "access-control-allow-origin" not in answer.lower()
    assert nothing_was_done(stack.emulator)


def test_a_path_is_what_a_signed_request_asks_for_as_well(stack: Stack) -> None:
    """However a target is written: behind a path stand pages of ministack's own."""
    _, answer = raw(
        stack.emulator.settings.aws_port, "GET http://127.0.0.1/_ministack/health HTTP/1.1", HOST,
        f"Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/b/iam/aws4_request, "
        f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}", "X-Amz-Date: 20260101T000000Z",
    )  # fmt: skip

    assert "is a path here" in answer


def raw(port: int, *lines: str) -> tuple[int, str]:
    """What a request of these lines gets: the status, and headers and body."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode())
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, f"{answer.headers}{answer.read().decode()}"


def test_a_handshake_is_answered_as_the_get_that_it_is(layer: GlobalLayer) -> None:
    """Through a Region's endpoint and the edge as well: no caller gets a 5XX out of it."""
    headers = dict(line.split(": ") for line in UPGRADE)

    answers = [layer.stack.get(REGIONS[0], "/where", headers=headers)]
    answers.append(layer.get("/where", headers=headers))

    assert [answer.status_code for answer in answers] == [200, 200]
    assert {answer.json()["event"]["httpMethod"] for answer in answers} == {"GET"}
