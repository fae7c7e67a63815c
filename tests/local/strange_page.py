"""A page of somebody else's in a real browser, and what it sends, for where there is none."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

PAGE = Path(__file__).with_suffix(".html")
# A name of somebody else's, that leads to this machine.
NAME = "evil.example"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# No sandbox: as root it can't be had, and the page is ours.
OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", f"--host-resolver-rules=MAP {NAME} 127.0.0.1"),
)
FUNCTION = {"FunctionName": "evil", "Runtime": "python3.13", "Handler": "a.b"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of the page as Chromium 156 sends it, as far as it says that a browser does.

    `origin` is what Origin says, empty where there is none; `mode` and `to` are those of
    Sec-Fetch-Mode and Sec-Fetch-Dest, empty where it sends no such header.
    """

    method: str
    path: str
    origin: str
    mode: str
    to: str
    content_type: str = ""

    def headers(self) -> Iterator[tuple[str, str]]:
        """The headers, as pairs."""
        sent = {
            "Origin": self.origin,
            "Sec-Fetch-Site": "cross-site" if self.mode else "",
            "Sec-Fetch-Mode": self.mode,
            "Sec-Fetch-Dest": self.to,
            "Content-Type": self.content_type,
        }
        yield from ((name, value) for name, value in sent.items() if value)


PAGES = f"http://{NAME}"
FORM = "application/x-www-form-urlencoded"
TEXT = "text/plain;charset=UTF-8"
ASKED: Mapping[str, Asked] = {
    "fetch": Asked("POST", "/login/fetch", PAGES, "no-cors", "empty", TEXT),
    "fetch-get": Asked("GET", "/login/fetch-get", "", "no-cors", "empty"),
    "fetch-cors": Asked("GET", "/login/fetch-cors", PAGES, "cors", "empty"),
    "fetch-signed": Asked("OPTIONS", "/login/fetch-signed", PAGES, "cors", "empty"),
    "fetch-put": Asked("OPTIONS", "/login/fetch-put", PAGES, "cors", "empty"),
    "redirected": Asked("POST", "/login/redirected", "null", "no-cors", "empty", TEXT),
    "beacon": Asked("POST", "/login/beacon", PAGES, "no-cors", "empty", TEXT),
    "form": Asked("POST", "/login/form", PAGES, "navigate", "iframe", FORM),
    "form-text": Asked("POST", "/login/form-text", PAGES, "navigate", "iframe", "text/plain"),
    "form-parts": Asked(
        "POST", "/login/form-parts", PAGES, "navigate", "iframe", "multipart/form-data; boundary=x"
    ),
    "image": Asked("GET", "/login/image", "", "no-cors", "image"),
    "script": Asked("GET", "/login/script", "", "no-cors", "script"),
    "style": Asked("GET", "/login/style", "", "no-cors", "style"),
    "prefetch": Asked("GET", "/login/prefetch", "", "no-cors", "empty"),
    "frame": Asked("GET", "/login/frame", "", "navigate", "iframe"),
    "object": Asked("GET", "/login/object", "", "navigate", "object"),
    "video": Asked("GET", "/login/video", "", "no-cors", "video"),
    "events": Asked("GET", "/login/events", PAGES, "cors", "empty"),
    # A handshake says nothing of Sec-Fetch.
    "websocket": Asked("GET", "/login/websocket", PAGES, "", ""),
    "ping": Asked("POST", "/login/ping", PAGES, "no-cors", "empty", "text/ping"),
    "worker": Asked("GET", "/login/worker", "", "no-cors", "script"),
    "sandboxed": Asked("POST", "/login/sandboxed", "null", "navigate", "iframe", FORM),
    "sign-in": Asked("GET", "/oauth2/authorize", "", "navigate", "iframe"),
    "sign-in-form": Asked("POST", "/login", PAGES, "navigate", "iframe", FORM),
    "sign-in-token": Asked("POST", "/oauth2/token", PAGES, "cors", "empty", FORM),
    "sign-in-user": Asked("OPTIONS", "/oauth2/userInfo", PAGES, "cors", "empty"),
}


def browser() -> str | None:
    """A Chromium of this machine that starts."""
    found = filter(None, map(shutil.which, BROWSERS))
    return next((program for program in found if _starts(program)), None)


def _starts(program: str) -> bool:
    # Some systems put a script there that says how the browser is installed.
    done = subprocess.run([program, "--version"], capture_output=True, check=False)
    return done.returncode == 0


@contextmanager
def opened(program: str, target: str) -> Iterator[None]:
    """Have a browser show the page, which asks `target` for everything."""
    with _served(target) as port, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [program, *OPTIONS, f"--user-data-dir={folder}", f"http://{NAME}:{port}/"]
        quiet = subprocess.DEVNULL
        with subprocess.Popen(command, stdout=quiet, stderr=quiet) as running:
            try:
                yield
            finally:
                running.terminate()


@contextmanager
def _served(target: str) -> Iterator[int]:
    text = PAGE.read_text().replace("TARGET,", f"{json.dumps(target)},", 1)
    page = text.replace("stringify(FUNCTION)", f"stringify({json.dumps(FUNCTION)})").encode()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(page)) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def _handler(page: bytes) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """The page, and a redirect that keeps the method: `/to?<url>`."""

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(307)
            self.send_header("Location", self.path.partition("?")[2])
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name
            """Not on the terminal."""

    return Handler
