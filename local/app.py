"""One ASGI application: ministack on the http port, the Regions and the edge on the https port.

Importing this module imports ministack, which reads its settings from the environment.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from functools import partial
from typing import Any

from hypercorn.config import Config

from local import addressing, admission, edge, patches, replication, single_write, upgrades, web_acl
from local.background import Background
from local.control_api import ControlApi
from local.dns.data_plane import DataPlane, Setup
from local.dns.resolver import cached_lookup
from local.faults import Faults
from local.http_messages import Receive, Response, Scope, Send, received, respond, unsent
from local.item_store import ItemStore, SaveError
from local.listeners import Listeners
from local.observability.service import Observability, trace_invocations
from local.observability.traces import requests
from local.patches import application, chain, custom_domains, persistence, route53
from local.persistence import Saver, changed_by, only_reads
from local.router import Router
from local.settings import LOOPBACK, REGISTERED_DOMAIN, Settings
from local.table_items import TableItems
from project.credentials import credentials_of

logger = logging.getLogger("local")


NOT_SAVED: Response = (
    500,
    {"content-type": "application/x-amz-json-1.0"},
    b'{"__type":"InternalServerError","message":"It can\'t be saved: see `make status`."}',
)


class Emulator:
    """The application, and what runs beside it. Here the rooms are put together.

    Raises UnreadableStateError for a state that can't be taken up.
    """

    def __init__(self, settings: Settings, https: Config) -> None:
        self._settings = settings
        self._credentials = credentials_of(settings.state_dir)
        self._background = Background()
        self._items = ItemStore(settings.items)
        kept = self._items.read()
        self._table_items = TableItems(self._items, kept)
        self._saver = Saver(
            settings.state, self._items, settings.save_interval, self._table_items.follow_tables
        )
        self._replication = replication.Replication(settings.replication_lag, saved=self._items)
        self._faults = Faults()
        self._listeners = Listeners(self, https, settings.https_port)
        self._endpoints_lock = asyncio.Lock()
        self._route53 = DataPlane(
            Setup(
                dns_port=settings.dns_port,
                ports={443: settings.https_port},
                memory=settings.state / "health-checks.json",
                resolve_aws_name=addressing.address_of_aws_name,
                spawn=self._background.start,
            )
        )
        self._control_api = ControlApi(
            settings,
            self._credentials,
            self._faults,
            self._replication,
            self._route53,
            self._saver,
            self._background,
            follow_faults=self._open_endpoints,
            save=self._save,
        )
        self._patch_ministack()
        self._observability = Observability(settings.state, settings.alarm_interval)
        self._router = Router(self._faults, self._way())
        edge.listeners += self._observability.edge_listeners
        web_acl.listeners.extend(self._observability.web_acl_listeners)
        self._replication.listeners.append(self._observability.replication_listener)
        persistence.load()
        route53.register_domain(REGISTERED_DOMAIN)
        self._observability.restore()
        self._replication.restore(
            [fields for _, fields in kept.get(replication.WAITING, ())],
            dict(kept.get(replication.STAMP, ())),
        )

    def _patch_ministack(self) -> None:
        replication.install(self._replication)
        self._table_items.install()
        # Before the daemons beside the functions are given the same.
        patches.lambda_functions.secrets_that_nobody_can_guess()
        trace_invocations(self._settings.endpoint)
        patches.apply()
        edge.install(self._edge())
        persistence.save_nothing_at_shutdown()

    def _way(self) -> tuple[chain.Step, ...]:
        """The steps of a request through a Region; their order stands in `chain.steps`."""
        return chain.steps(
            chain.Services(
                apply_fault=self._faults.apply,
                evaluate_web_acl=web_acl.verdict_of,
                trace=requests.trace,
                listeners=self._observability.gateway_listeners,
            )
        )

    def _edge(self) -> edge.Edge:
        lookup = cached_lookup(LOOPBACK, self._settings.dns_port)
        tls = ssl.create_default_context(cafile=str(self._settings.ca / "ca.pem"))
        return edge.Edge(edge.Connections(lookup, self._settings.https_port, tls))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry point."""
        if scope["type"] == "websocket":
            scope, receive, send = upgrades.as_request(scope, receive, send)
        if scope["type"] == "http" and scope["scheme"] == "https":
            # Of what it changes, a function's own requests tell.
            await self._router.serve(scope, receive, send)
        elif scope["type"] == "http":
            await self._control_plane(scope, receive, send)
        elif scope["type"] == "lifespan":
            await application.serve(scope, receive, send)

    async def until(self, stop: asyncio.Event) -> None:
        """Run what runs beside the application until `stop`; then comes `end`.

        Raises OSError when a port is taken.
        """
        self._background.watch_threads()
        await self._listeners.open(LOOPBACK)
        await self._open_endpoints()
        await self._route53.start()
        changed = self._saver.changed
        self._background.start(self._saver.run(), "saving")
        replicated = partial(changed, frozenset())
        self._background.start(self._replication.run(replicated), "replication")
        self._background.start(self._observability.run(changed), "alarms and retention")
        # What was restored may not be on disk in today's form.
        changed()
        self._control_api.ready = True
        logger.info(
            "serving: %s, https port %d, dns port %d",
            self._settings.endpoint,
            self._settings.https_port,
            self._settings.dns_port,
        )
        await stop.wait()
        self._faults.heal()
        await self._listeners.stop()

    async def end(self) -> None:
        """Stop what runs beside, once nobody is served any more, and save.

        Raises SaveError.
        """
        # Before the saver is cancelled: it may be writing.
        await self._save()
        self._background.cancel()
        await self._route53.stop()
        self._items.close()

    async def _save(self) -> None:
        """Save all that is kept over a restart; raises SaveError."""
        await self._saver.save(everything=True)
        try:
            self._observability.save()
        except OSError as error:
            raise SaveError(str(error)) from error

    async def _control_plane(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            request = await admission.admit(scope, receive, self._credentials)
        except admission.RefusedError as refused:
            await respond(send, refused.response)
            return
        if request.raw_path.startswith(admission.OWN_API):
            await respond(send, await self._control_api.answer(request))
            return
        headers = dict(scope["headers"])
        target = headers.get(b"x-amz-target", b"")
        broken = self._faults.at_table(headers)
        if broken:
            self._observability.table_failed(headers, request.body)
            await respond(send, broken)
            return
        lost = self._faults.loses_answer(headers, request.body)
        answer_to = unsent if lost else send
        body = received(request.body, receive)
        await self._serve(scope, body, answer_to, target.decode("latin-1"))
        if lost:
            self._faults.answers_lost += 1
            single_write.abort_connection()
        if request.path.startswith("/domainnames"):
            await self._open_endpoints()

    async def _serve(self, scope: Scope, receive: Receive, send: Send, target: str) -> None:
        """Serve one of AWS's operations; see that what it changes is saved."""
        if only_reads(scope["method"], target):
            await application.serve(scope, receive, send)
            return

        async def acknowledge(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                await self._saver.before_acknowledging(changed_by(target))
            await send(message)

        try:
            await application.serve(scope, receive, acknowledge)
        except SaveError:
            await respond(send, NOT_SAVED)
        self._saver.changed(changed_by(target))

    async def _open_endpoints(self) -> None:
        """Open the endpoint of every Region that has one and isn't to refuse; shut the others."""
        async with self._endpoints_lock:
            for region in custom_domains.deployed_regions():
                address = addressing.address(region)
                if self._faults.shuts(region):
                    self._listeners.shut(address)
                else:
                    await self._listeners.open(address)
