"""Route 53's data plane, wired to the embedded AWS: what the bench starts and stops."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.route53 import health_api
from local.route53.checkers import HealthCheckers
from local.route53.dns_server import DnsServer
from local.route53.ministack_state import (
    health_checks_from_ministack,
    publish_to_ministack,
    zones_from_ministack,
)
from local.route53.probe import Address, NameNotResolvedError, Prober, unverified_tls
from local.route53.routing import Answer, Question, Rcode, Routing

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = logging.getLogger(__name__)

_AWS_DOMAINS = (".amazonaws.com.", ".cloudfront.net.")


def on_loopback(name: str) -> Sequence[str]:
    """Return the address of an AWS resource's name: all of them live on this machine."""
    return ("127.0.0.1",) if name.endswith(_AWS_DOMAINS) else ()


@dataclass(frozen=True, slots=True)
class Setup:
    """Where the data plane listens and what it dials.

    `doors` maps a port as AWS has it to the bench's: a check of port 443 dials `doors[443]`.
    `memory` is a file that keeps the checkers' verdicts over a restart.
    """

    dns_port: int
    doors: Mapping[int, int]
    memory: Path
    host: str = "127.0.0.1"
    client_region: str = "us-east-1"
    resolve_aws_name: Callable[[str], Sequence[str]] = on_loopback


@dataclass(slots=True)
class DataPlane:
    """The DNS server and the health checkers of one bench, reading ministack's state."""

    setup: Setup
    checkers: HealthCheckers = field(init=False)
    dns: DnsServer = field(init=False)
    _undo: ExitStack = field(init=False, default_factory=ExitStack)

    def __post_init__(self) -> None:
        """Wire the parts; nothing listens or asks yet."""
        self.checkers = HealthCheckers(
            health_checks_from_ministack,
            Prober(self._connect, unverified_tls()),
            remembered=_remembered(self.setup.memory),
            on_metric=publish_to_ministack,
        )
        self.dns = DnsServer(self.answer, self.setup.host, self.setup.dns_port)

    async def start(self) -> None:
        """Listen, start the checkers and serve their API; raises OSError when the port is taken."""
        await self.dns.start()
        await self.checkers.start()
        self._undo.enter_context(_health_api(self.checkers))

    async def stop(self) -> None:
        """Stop all of it and remember the verdicts."""
        self._undo.close()
        await self.dns.stop()
        await self.checkers.stop()
        self.setup.memory.parent.mkdir(parents=True, exist_ok=True)
        self.setup.memory.write_text(json.dumps(self.checkers.verdicts()))

    def answer(self, question: Question) -> Answer:
        """Answer a question from the zones and the health checks as they are now."""
        routing = Routing(
            zones_from_ministack(),
            healthy=self.checkers.is_healthy,
            resolve_aws_name=self.setup.resolve_aws_name,
            client_region=self.setup.client_region,
        )
        return routing.answer(question)

    async def _connect(self, name: str, port: int) -> Address:
        """Find a check's endpoint by DNS, over IPv4 alone as AWS's checkers do."""
        answer = self.answer(Question(name, "A"))
        address = next((each.value for each in answer.answers if each.type == "A"), None)
        if address is None:
            code = "no A record" if answer.rcode is Rcode.NOERROR else answer.rcode.name
            raise NameNotResolvedError(f"DNS response error code {code}.")
        return address, self.setup.doors.get(port, port)


@contextmanager
def _health_api(checkers: HealthCheckers) -> Iterator[None]:
    """Serve the health checks' status operations in front of ministack's Route 53."""
    from ministack.services import route53  # noqa: PLC0415

    others = route53.handle_request

    async def handle_request(method: str, path: str, *request: Any) -> Any:  # noqa: ANN401
        found = health_api.respond(method, path, checkers)
        return found if found is not None else await others(method, path, *request)

    route53.handle_request = handle_request
    try:
        yield
    finally:
        route53.handle_request = others


def _remembered(memory: Path) -> dict[str, bool]:
    try:
        kept = json.loads(memory.read_text())
        return {str(check_id): bool(healthy) for check_id, healthy in dict(kept).items()}
    except FileNotFoundError:
        return {}
    except (TypeError, ValueError):
        _log.warning("%s is damaged: health checks start anew", memory)
        return {}
