"""One ASGI application: ministack on the http port, the doors on the https port.

Importing this module imports ministack, which reads its settings from the environment.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import ssl
import time
from importlib.metadata import version
from typing import Any
from urllib.parse import parse_qs

from hypercorn.config import Config
from ministack import app as ministack_app

from local import (
    admission,
    doors,
    edge,
    entrance,
    patches,
    regions,
    replication,
    report,
    settings,
    web_acl,
)
from local.credentials import credentials_of
from local.dns.data_plane import DataPlane, Setup
from local.dns.resolver import cached_lookup
from local.doors import Receive, Scope, Send
from local.faults import FaultError, Faults, fault_of, known_region
from local.listeners import Listeners
from local.observability.service import Observability, trace_requests
from local.persistence import Saver, only_reads

logger = logging.getLogger("local")


class Bench:
    """The application, and what runs beside it."""

    def __init__(self, chosen: settings.Settings, https: Config) -> None:
        self._settings = chosen
        self._credentials = credentials_of(chosen.state_dir)
        self._started = time.time()
        self._saver = Saver(chosen.state)
        self._replication = replication.Replication(chosen.replication_lag)
        self._faults = Faults()
        self._listeners = Listeners(self, https, chosen.https_port)
        self._doors_lock = asyncio.Lock()
        self._route53 = DataPlane(
            Setup(
                dns_port=chosen.dns_port,
                ports={443: chosen.https_port},
                memory=chosen.state / "health-checks.json",
                resolve_aws_name=regions.address_of_aws_name,
            )
        )
        self._beside: list[asyncio.Task[None]] = []
        self._ready = False
        replication.install(self._replication)
        # Before the daemons beside the functions are given the same.
        patches.lambda_functions.secrets_that_nobody_can_guess()
        trace_requests()
        patches.apply()
        web_acl.install()
        edge.install(_edge(chosen))
        self._observability = Observability(chosen.state, chosen.alarm_interval)
        edge.listeners += self._observability.edge_listeners
        web_acl.listeners.append(self._observability.web_acl_listener)
        self._replication.listeners.append(self._observability.replication_listener)
        # Its own save at shutdown does the same, slower.
        ministack_app.save_all = lambda _states: self._saver.save()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry point."""
        if scope["type"] == "http" and scope["scheme"] == "https":
            await entrance.enter(scope, receive, send, self._faults)
            self._saver.changed()
        elif scope["type"] == "http":
            await self._control_plane(scope, receive, send)
        elif scope["type"] == "lifespan":
            await ministack_app.app(scope, receive, send)

    async def until(self, stop: asyncio.Event) -> None:
        """Run what runs beside the application until `stop`, then save.

        Raises OSError when a port is taken.
        """
        self._observability.restore()
        await self._listeners.open(settings.LOOPBACK)
        await self._doors_follow()
        await self._route53.start()
        self._beside = [
            asyncio.create_task(self._saver.run()),
            asyncio.create_task(self._replication.run(self._saver.changed)),
            asyncio.create_task(self._observability.run(self._saver.changed)),
        ]
        self._ready = True
        logger.info(
            "serving: %s, https port %d, dns port %d",
            self._settings.endpoint,
            self._settings.https_port,
            self._settings.dns_port,
        )
        await stop.wait()
        self._faults.heal()
        await self._listeners.stop()
        await self._route53.stop()
        for task in self._beside:
            task.cancel()
        self._saver.save()
        self._observability.save()

    async def _control_plane(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            request = await admission.admit(scope, receive, self._credentials)
        except admission.RefusedError as refused:
            await doors.respond(send, refused.response)
            return
        if request.raw_path.startswith(admission.OWN_API):
            await self._local(request, send)
            return
        headers = dict(scope["headers"])
        target = headers.get(b"x-amz-target", b"")
        broken = self._faults.at_the_table(target, headers.get(b"authorization", b""))
        if broken:
            self._observability.table_failed(headers, request.body)
            await doors.respond(send, broken)
            return
        await ministack_app.app(scope, doors.received(request.body, receive), send)
        if not only_reads(scope["method"], target.decode("latin-1")):
            self._saver.changed()
        if request.path.startswith("/domainnames"):
            await self._doors_follow()

    async def _doors_follow(self) -> None:
        """Open the door of every Region that has one and isn't to refuse; shut the others."""
        async with self._doors_lock:
            for region in doors.deployed_regions():
                address = regions.address(region)
                if self._faults.shuts(region):
                    self._listeners.shut(address)
                else:
                    await self._listeners.open(address)

    # -- the bench's own small API -----------------------------------------------------

    async def _local(self, request: doors.Request, send: Send) -> None:
        if not self._ready:
            await _answer(send, 503, {"message": "starting"})
            return
        match (request.method, request.path):
            case ("GET", "/_local/status"):
                await _answer(send, 200, self._status())
            case ("POST", "/_local/replication"):
                await self._set_replication(send, json.loads(request.body or b"{}"))
            case ("POST", "/_local/faults"):
                await self._set_fault(send, json.loads(request.body or b"{}"))
            case ("DELETE", "/_local/faults"):
                await self._heal(send, parse_qs(request.query).get("region", [None])[0])
            case _:
                await _answer(send, 404, {"message": "no such thing here"})

    async def _set_fault(self, send: Send, wanted: dict[str, Any]) -> None:
        try:
            region, fault = fault_of(wanted, doors.deployed_regions())
        except FaultError as error:
            await _answer(send, 400, {"message": str(error)})
            return
        self._faults.set(region, fault)
        logger.info("fault in %s: %s", region, fault)
        await self._faults_changed(send)

    async def _heal(self, send: Send, region: str | None) -> None:
        try:
            if region is not None:
                known_region(region, doors.deployed_regions())
        except FaultError as error:
            await _answer(send, 400, {"message": str(error)})
            return
        self._faults.heal(region)
        logger.info("healed: %s", region or "every Region")
        await self._faults_changed(send)

    async def _faults_changed(self, send: Send) -> None:
        self._replication.hold(self._faults.partitioned)
        await self._doors_follow()
        await _answer(send, 200, {"doors": report.of_doors(self._faults)})

    async def _set_replication(self, send: Send, wanted: dict[str, object]) -> None:
        lag = wanted.get("lag")
        if not isinstance(lag, (int, float)) or not 0 <= lag <= 3600:
            await _answer(send, 400, {"message": "lag: seconds from 0 to 3600"})
            return
        self._replication.set_lag(float(lag))
        await _answer(send, 200, self._status())

    def _status(self) -> dict[str, object]:
        return {
            "pid": os.getpid(),
            "started": self._started,
            "ministack": version("ministack"),
            "aws_port": self._settings.aws_port,
            "https_port": self._settings.https_port,
            "dns_port": self._settings.dns_port,
            "regions": doors.regional(),
            "replication": {
                "lag_seconds": self._replication.lag,
                "pending": self._replication.pending,
                "overwritten": self._replication.overwritten,
                "held": sorted(self._replication.held),
            },
            "doors": report.of_doors(self._faults),
            "health_checks": report.of_health_checks(self._route53.checkers),
            "edge": report.of_edge(self._route53),
        }


def _edge(chosen: settings.Settings) -> edge.Edge:
    lookup = cached_lookup(settings.LOOPBACK, chosen.dns_port)
    tls = ssl.create_default_context(cafile=str(chosen.ca / "ca.pem"))
    return edge.Edge(lookup, chosen.https_port, tls)


async def _answer(send: Send, status: int, body: dict[str, object]) -> None:
    headers = {"content-type": "application/json"}
    await doors.respond(send, (status, headers, json.dumps(body).encode()))
