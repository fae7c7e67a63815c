"""A DynamoDB over HTTP on this machine, that has room and always the same items."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from benchmarks.driver import answer


class Handler(BaseHTTPRequestHandler):
    """Answers on connections that stay open, as DynamoDB does."""

    protocol_version = "HTTP/1.1"
    # Headers and body are two writes: the second would wait 40 ms for the first's acknowledgement.
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer one call."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].partition(".")[2]
        body = json.dumps(answer(operation, request)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""


@contextmanager
def table() -> Iterator[str]:
    """Serve it, and give its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
