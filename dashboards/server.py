"""The pages on a loopback port, for the person at this machine and for no other site.

Whoever may open a connection to this machine's loopback may read them: there is no sign-in.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from dashboards.pages import DEFAULT_RANGE, RANGES, NotFoundError, Pages
from dashboards.problems import UNANSWERED
from project.console import ToolchainError

logger = logging.getLogger("dashboards")

LOOPBACK = "127.0.0.1"
NAMES = (LOOPBACK, "localhost")
STATIC = Path(__file__).parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FILES = {f"/static/{file.name}": file for file in STATIC.iterdir() if file.suffix in TYPES}
DASHBOARD = re.compile(r"/dashboards/([^/]+?)(\.json)?")
# A browser says where a request comes from (Fetch Metadata, w3.org/TR/fetch-metadata): `none` is a
# typed address. Another port of localhost is `same-site`.
OWN_SITES = ("same-origin", "none")
IDLE_SECONDS = 30
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request gets."""

    status: HTTPStatus
    content: str
    type: str = "text/plain"


def open_server(port: int, pages: Pages) -> Server:
    """The server, bound to its port; 0 takes any. Raises ToolchainError when it can't be had."""
    try:
        return Server(port, pages)
    except OSError as error:
        raise ToolchainError(
            f"Port {port} of {LOOPBACK} can't be used ({error.strerror}): end what listens "
            "there, or set DASHBOARD_PORT to a free port."
        ) from error


class Server(ThreadingHTTPServer):
    """Answers from `pages`."""

    daemon_threads = True

    def __init__(self, port: int, pages: Pages) -> None:
        super().__init__((LOOPBACK, port), Handler)
        self.pages = pages

    @property
    def hosts(self) -> tuple[str, ...]:
        """What Host may say; any other name is another site's (DNS rebinding)."""
        return tuple(f"{name}:{self.server_port}" for name in NAMES)

    def answer(self, target: str) -> Answer:
        """Answer a path with its query."""
        url = urlsplit(target)
        if file := FILES.get(url.path):
            return Answer(HTTPStatus.OK, file.read_text(), TYPES[file.suffix])
        asked = parse_qs(url.query).get("range", [DEFAULT_RANGE])[0]
        selected = asked if asked in RANGES else DEFAULT_RANGE
        try:
            return self._page(url.path, selected)
        except NotFoundError:
            return Answer(HTTPStatus.NOT_FOUND, "There is no such page.")
        except UNANSWERED as error:
            return Answer(HTTPStatus.BAD_GATEWAY, self.pages.explain(error))

    def _page(self, path: str, selected: str) -> Answer:
        html = partial(Answer, HTTPStatus.OK, type="text/html")
        if path == "/":
            return html(self.pages.alarms())
        found = DASHBOARD.fullmatch(path)
        if not found:
            raise NotFoundError
        name = unquote(found[1])
        if not found[2]:
            return html(self.pages.dashboard(name, selected))
        data = json.dumps(self.pages.data(name, selected), allow_nan=False)
        return Answer(HTTPStatus.OK, data, "application/json")


class Handler(BaseHTTPRequestHandler):
    """One request; HTTP/1.0, so one connection."""

    server: Server
    timeout = IDLE_SECONDS

    def do_GET(self) -> None:
        """Answer a page, its data, or a file."""
        if self._is_own():
            self._send(self.server.answer(self.path))
        else:
            self.send_error(HTTPStatus.FORBIDDEN, "Open this page by its own address.")

    def _is_own(self) -> bool:
        """Whether the request is this page's own, or typed; what no browser sends says neither."""
        host = self.headers.get_all("Host", [])
        site = self.headers.get("Sec-Fetch-Site", "none")
        origins = self.headers.get_all("Origin", [])
        return (
            len(host) == 1
            and host[0] in self.server.hosts
            and site in OWN_SITES
            and all(origin == f"http://{host[0]}" for origin in origins)
        )

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer as everything else is answered: with the same headers, and as plain text."""
        del explain
        status = HTTPStatus(code)
        self._send(Answer(status, message or status.phrase))

    def _send(self, answer: Answer) -> None:
        content = answer.content.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", f"{answer.type}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def version_string(self) -> str:
        """No version: nobody needs it."""
        return "dashboards"

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name there
        """Not on the terminal."""
        logger.debug(format, *arguments)
