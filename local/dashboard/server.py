"""The pages on a loopback port, for the person at this machine and for nobody else."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from local.dashboard.bodies import BodyError
from local.dashboard.client import CloudWatch
from local.dashboard.pages import DEFAULT_RANGE, RANGES, NotFoundError, Pages
from local.process import ProcessError, holder
from local.settings import LOOPBACK, Settings

logger = logging.getLogger("local.dashboard")

FILES = {
    "/page.css": ("text/css", Path(__file__).parent / "templates" / "page.css"),
    "/page.js": ("text/javascript", Path(__file__).parent / "templates" / "page.js"),
}
DASHBOARD = re.compile(r"/dashboards/([^/]+)")
WIDGET = re.compile(r"/dashboards/([^/]+)/(\d+)")
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def serve(chosen: Settings) -> None:
    """Serve until interrupted. Raises ProcessError when the port is taken."""
    with open_server(chosen) as server:
        try:
            url = f"http://{LOOPBACK}:{server.server_port}/"
            print(f"Dashboards: {url}  (Ctrl-C ends it)", flush=True)
            server.serve_forever()
        except KeyboardInterrupt:
            print()


def open_server(chosen: Settings) -> Server:
    """The server, bound to its port. Raises ProcessError when that is taken."""
    try:
        return Server(chosen.dashboard_port, Pages(CloudWatch(chosen.endpoint)))
    except OSError as error:
        by = holder(chosen.dashboard_port)
        raise ProcessError(
            f"Port {chosen.dashboard_port} of {LOOPBACK} can't be used ({error.strerror}): "
            f"{f'held by {by}' if by else 'its holder is not visible to you'}. "
            "End that process, or set LOCAL_DASHBOARD_PORT to a free port."
        ) from error


class Server(ThreadingHTTPServer):
    """Answers from `pages`."""

    daemon_threads = True

    def __init__(self, port: int, pages: Pages) -> None:
        super().__init__((LOOPBACK, port), Handler)
        self.pages = pages

    def accepts(self, host: str) -> bool:
        """Whether Host names this machine; any other name is another site's (DNS rebinding)."""
        return host in (f"{LOOPBACK}:{self.server_port}", f"localhost:{self.server_port}")


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a page, a part of one, or a file."""
        if not self.server.accepts(self.headers.get("Host", "")):
            self._answer(HTTPStatus.FORBIDDEN, "Open this page by its own address.")
            return
        url = urlsplit(self.path)
        if url.path in FILES:
            kind, file = FILES[url.path]
            self._answer(HTTPStatus.OK, file.read_text(), kind)
            return
        chosen = parse_qs(url.query).get("range", [DEFAULT_RANGE])[0]
        self._page(url.path, chosen if chosen in RANGES else DEFAULT_RANGE)

    def _page(self, path: str, chosen: str) -> None:
        try:
            self._answer(HTTPStatus.OK, self._rendered(path, chosen), "text/html")
        except NotFoundError:
            self._answer(HTTPStatus.NOT_FOUND, "There is no such page.")
        except (BotoCoreError, ClientError, BodyError) as error:
            message = f"The embedded AWS does not answer as it should (make start): {error}"
            self._answer(HTTPStatus.BAD_GATEWAY, message)

    def _rendered(self, path: str, chosen: str) -> str:
        pages = self.server.pages
        whole: dict[str, Callable[[], str]] = {"/": pages.alarms, "/alarms": pages.alarm_list}
        if path in whole:
            return whole[path]()
        if dashboard := DASHBOARD.fullmatch(path):
            return pages.dashboard(unquote(dashboard[1]), chosen)
        if widget := WIDGET.fullmatch(path):
            return pages.widget(unquote(widget[1]), int(widget[2]), chosen)
        raise NotFoundError

    def _answer(self, status: HTTPStatus, text: str, kind: str = "text/plain") -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name there
        """Not on the terminal."""
        logger.debug(format, *arguments)
