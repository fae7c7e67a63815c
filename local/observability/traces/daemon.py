"""The X-Ray daemon that an execution environment has beside it, on a UDP port of its own.

A datagram is a line `{"format": "json", "version": 1}` and a segment document
(xray-api-sendingdata). As on AWS, the daemon sends it on to X-Ray in the function's Region and as
the function's role, which must be allowed to: a role without xray:PutTraceSegments leaves no
subsegments here either.
"""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.settings import LOOPBACK

logger = logging.getLogger("local.xray")

DATAGRAM_BYTES = 64 * 1024
# PutTraceSegments takes 50 documents (API_PutTraceSegments).
MAX_DOCUMENTS = 50
# How long a document waits for others. AWS's daemon lets it wait a second (idle_timeout_millisecond
# of its pkg/cfg); each is a signed request, and costs more than the request that is traced.
BATCH_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Role:
    """Whose segments they are: a role's session, in a Region, at an endpoint."""

    endpoint: str
    region: str
    access_key_id: str
    secret_access_key: str
    session_token: str


class Daemon:
    """Receives datagrams for one role in one Region, until the process ends."""

    def __init__(self, role: Role) -> None:
        self._role = role
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((LOOPBACK, 0))
        threading.Thread(target=self._run, daemon=True, name=f"xray-{role.region}").start()

    @property
    def address(self) -> str:
        """What the function gets as AWS_XRAY_DAEMON_ADDRESS."""
        return f"{LOOPBACK}:{self._socket.getsockname()[1]}"

    def _run(self) -> None:
        client = None
        while True:
            documents = gathered(self._receive, time.monotonic)
            client = client or _client(self._role)
            try:
                refused = client.put_trace_segments(TraceSegmentDocuments=documents)
            except (BotoCoreError, ClientError) as error:
                logger.warning("segments from %s are lost: %s", self._role.region, error)
                continue
            for each in refused["UnprocessedTraceSegments"]:
                logger.warning("a segment is lost: %s", each.get("Message"))

    def _receive(self, seconds: float | None) -> bytes:
        self._socket.settimeout(seconds)
        return self._socket.recv(DATAGRAM_BYTES)


def gathered(receive: Callable[[float | None], bytes], clock: Callable[[], float]) -> list[str]:
    """Wait for a document, and for those that arrive soon after it.

    `receive` waits for a datagram, so many seconds at most, and raises TimeoutError then.
    """
    documents: list[str] = []
    while not documents:
        documents += document(receive(None))
    until = clock() + BATCH_SECONDS
    with contextlib.suppress(TimeoutError):
        while len(documents) < MAX_DOCUMENTS and (left := until - clock()) > 0:
            documents += document(receive(left))
    return documents


def document(datagram: bytes) -> list[str]:
    """The document in a datagram; none where it isn't one, which the daemon ignores."""
    line, _, text = datagram.decode("utf-8", "replace").partition("\n")
    try:
        header = json.loads(line)
    except ValueError:
        return []
    return [text] if header == {"format": "json", "version": 1} and text else []


def _client(role: Role) -> Any:  # noqa: ANN401 - boto3's clients have no type at run time
    return boto3.session.Session().client(
        "xray",
        region_name=role.region,
        endpoint_url=role.endpoint,
        aws_access_key_id=role.access_key_id,
        aws_secret_access_key=role.secret_access_key,
        aws_session_token=role.session_token,
        config=Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2}),
    )
