"""Route 53's data plane, wired to the embedded AWS."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import dns.name
from dns.rcode import Rcode

from local.dns import record_api
from local.dns.health import api as health_api
from local.dns.health.checkers import HealthCheckers, Spawn, spawn_task
from local.dns.health.checks import HealthCheck, Metric, health_check, not_emulated
from local.dns.health.client import (
    Address,
    HealthCheckClient,
    NameNotResolvedError,
    unverified_tls,
)
from local.dns.routing import Answer, Question, Routing
from local.dns.server import DnsServer
from local.dns.xml_responses import Response
from local.dns.zones import zone_of
from local.patches import route53

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Setup:
    """Where the data plane listens and what it dials.

    `ports` maps a port as AWS has it to the local one: a check of port 443 dials `ports[443]`.
    `memory` is a file that keeps the checkers' verdicts over a restart. `resolve_aws_name` gives
    the addresses of an AWS resource's name (see `Routing`). `spawn` runs the checkers.
    """

    dns_port: int
    ports: Mapping[int, int]
    memory: Path
    resolve_aws_name: Callable[[str], Sequence[str]]
    host: str = "127.0.0.1"
    spawn: Spawn = spawn_task


@dataclass(slots=True)
class DataPlane:
    """The DNS server and the health checkers, reading zones and checks as they are now."""

    setup: Setup
    checkers: HealthCheckers = field(init=False)
    dns: DnsServer = field(init=False)
    _undo: ExitStack = field(init=False, default_factory=ExitStack)

    def __post_init__(self) -> None:
        """Wire the parts; nothing listens or asks yet."""
        self.checkers = HealthCheckers(
            _health_checks,
            HealthCheckClient(self._connect, unverified_tls()),
            remembered=_remembered(self.setup.memory),
            on_metric=_publish,
            spawn=self.setup.spawn,
        )
        self.dns = DnsServer(self.answer, self.setup.host, self.setup.dns_port)

    async def start(self) -> None:
        """Listen, start the checkers and serve their API; raises OSError when the port is taken."""
        await self.dns.start()
        await self.checkers.start()
        self._undo.enter_context(route53.answered_first(self._respond))

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
            [zone_of(zone.name, zone.record_sets) for zone in route53.public_zones()],
            healthy=self.checkers.is_healthy,
            resolve_aws_name=self.setup.resolve_aws_name,
        )
        return routing.answer(question)

    def address_of(self, name: str) -> Answer:
        """Answer for a name's IPv4 address."""
        return self.answer(Question(dns.name.from_text(name), "A"))

    def _respond(self, method: str, path: str, body: bytes) -> Response | None:
        health = health_api.respond(method, path, body, self.checkers)
        return health or record_api.respond(method, path, body)

    async def _connect(self, name: str, port: int) -> Address:
        """Find a check's endpoint by DNS, over IPv4 alone as AWS's checkers do."""
        answer = self.address_of(name)
        if not answer.addresses:
            code = "no A record" if answer.rcode == Rcode.NOERROR else answer.rcode.name
            raise NameNotResolvedError(f"DNS response error code {code}.")
        return answer.addresses[0], self.setup.ports.get(port, port)


def _health_checks() -> list[HealthCheck]:
    documents = route53.health_check_configurations()
    refused = {check_id: not_emulated(document) for check_id, document in documents.items()}
    for check_id, what in refused.items():
        if what:
            _warn_once(f"not emulated: {what} ({check_id})")
    return [health_check(each, documents[each]) for each, what in refused.items() if not what]


@functools.cache
def _warn_once(message: str) -> None:
    # The checks are read again every second.
    _log.warning(message)


def _publish(metric: Metric) -> None:
    route53.store_metric(
        metric.name, metric.health_check_id, metric.value, metric.unit, metric.at.timestamp()
    )


def _remembered(memory: Path) -> dict[str, bool]:
    try:
        kept = json.loads(memory.read_text())
        return {str(check_id): bool(healthy) for check_id, healthy in dict(kept).items()}
    except FileNotFoundError:
        return {}
    except (TypeError, ValueError):
        _log.warning("%s is damaged: health checks start anew", memory)
        return {}
