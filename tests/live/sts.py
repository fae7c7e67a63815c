"""A listener on loopback that plays AWS: it answers STS, refuses the rest, and remembers all."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from project.credentials import credentials_of
from project.emulator import CHALLENGE_HEADER, OWNER_PATH, proof

IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<GetCallerIdentityResult><Arn>arn:aws:iam::{account}:user/someone</Arn>
<UserId>{account}</UserId><Account>{account}</Account></GetCallerIdentityResult>
<ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></GetCallerIdentityResponse>"""
SIGNED_BY = re.compile(
    r"Credential=(?P<key>[^/]+)/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request"
)


@dataclass(frozen=True, slots=True)
class Call:
    """One request: the service, Region and access key id that it was signed for, and all it says.

    What asks a proxy for a name has that name as its target.
    """

    service: str
    region: str
    key_id: str
    body: str
    target: str
    headers: str


@dataclass(slots=True)
class Listener:
    """Where it listens and what it has heard."""

    port: int = 0
    calls: list[Call] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address that a client is pointed at."""
        return f"http://127.0.0.1:{self.port}"

    def services(self) -> set[str]:
        """Give the services that were called, by their signing names."""
        return {call.service for call in self.calls}


@contextmanager
def listening(account: str, state_dir: Path | None = None) -> Iterator[Listener]:
    """Listen as an account's AWS until the block ends.

    With a state folder it is also that clone's emulator, and proves it.
    """
    listener = Listener()

    def proved(challenge: str) -> str:
        assert state_dir
        made = proof(credentials_of(state_dir), listener.port, challenge)
        return json.dumps({"folder": str(state_dir), "proof": made})

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            if self.path == OWNER_PATH and state_dir:
                self.say(200, proved(self.headers[CHALLENGE_HEADER]))
                return
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length).decode(errors="replace")
            signed = SIGNED_BY.search(self.headers.get("Authorization", ""))
            service = signed["service"] if signed else "unsigned"
            region, key = (signed["region"], signed["key"]) if signed else ("", "")
            listener.calls.append(Call(service, region, key, body, self.path, str(self.headers)))
            text = IDENTITY.format(account=account) if service == "sts" else "{}"
            self.say(200 if service == "sts" else 400, text)

        def say(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        # These names are http.server's.
        do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_CONNECT = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
