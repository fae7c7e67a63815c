"""The emulator's own small API below /_local/: whose it is, status, faults, lag, save."""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any
from urllib.parse import parse_qs

from local import status
from local.background import Background
from local.dns.data_plane import DataPlane
from local.faults import FaultError, Faults, fault_of, known_region
from local.http_messages import Request, Response
from local.item_store import SaveError
from local.patches import custom_domains
from local.persistence import Saver
from local.replication import Replication
from local.settings import Settings
from project.credentials import Credentials
from project.emulator import CHALLENGE_HEADER, OWNER_PATH, proof

logger = logging.getLogger("local")

Document = dict[str, Any]


@dataclass(slots=True)
class ControlApi:
    """What steers one emulator.

    `follow_faults` opens and shuts the Regions' endpoints, `save` saves all that is kept over a
    restart or raises SaveError.
    """

    settings: Settings
    credentials: Credentials
    faults: Faults
    replication: Replication
    route53: DataPlane
    saver: Saver
    background: Background
    follow_faults: Callable[[], Awaitable[None]]
    save: Callable[[], Awaitable[None]]
    ready: bool = False
    _started: float = field(default_factory=time.time)

    async def answer(self, request: Request) -> Response:
        """Answer one request; who sent it is known, unless it asks whose emulator this is."""
        if request.path == OWNER_PATH:
            return self._prove(request.headers.get(CHALLENGE_HEADER, ""))
        if not self.ready:
            return _json(503, {"message": "starting"})
        try:
            return _json(200, await self._done(request))
        except FaultError as error:
            return _json(400, {"message": str(error)})
        except LookupError:
            return _json(404, {"message": "no such thing here"})
        except SaveError as error:
            return _json(500, {"message": str(error)})

    def _prove(self, challenge: str) -> Response:
        if not re.fullmatch(r"[0-9a-f]{32}", challenge):
            return _json(400, {"message": f"{CHALLENGE_HEADER}: 32 hexadecimal digits"})
        proved = proof(self.credentials, self.settings.aws_port, challenge)
        return _json(200, {"folder": str(self.settings.state_dir), "proof": proved})

    async def _done(self, request: Request) -> Document:
        """Raises FaultError for what can't be done, LookupError for what there isn't, SaveError."""
        match (request.method, request.path):
            case ("GET", "/_local/status"):
                return self._status()
            case ("POST", "/_local/save"):
                await self.save()
                return {}
            case ("POST", "/_local/replication"):
                return self._set_replication(json.loads(request.body or b"{}"))
            case ("POST", "/_local/faults"):
                return await self._set_fault(json.loads(request.body or b"{}"))
            case ("DELETE", "/_local/faults"):
                return await self._heal(parse_qs(request.query).get("region", [None])[0])
        raise LookupError

    async def _set_fault(self, requested: Document) -> Document:
        region, fault = fault_of(requested, custom_domains.deployed_regions())
        self.faults.set(region, fault)
        logger.info("fault in %s: %s", region, fault)
        return await self._faults_changed()

    async def _heal(self, region: str | None) -> Document:
        if region is not None:
            known_region(region, custom_domains.deployed_regions())
        self.faults.heal(region)
        logger.info("healed: %s", region or "every Region")
        return await self._faults_changed()

    async def _faults_changed(self) -> Document:
        self.replication.pause(self.faults.partitioned)
        await self.follow_faults()
        return {"endpoints": status.of_endpoints(self.faults)}

    def _set_replication(self, requested: Document) -> Document:
        lag = requested.get("lag")
        if not isinstance(lag, (int, float)) or not 0 <= lag <= 3600:
            raise FaultError("lag: seconds from 0 to 3600")
        self.replication.set_lag(float(lag))
        return self._status()

    def _status(self) -> Document:
        return {
            "pid": os.getpid(),
            "started": self._started,
            "folder": str(self.settings.state_dir),
            "saving": {
                "interval_seconds": self.saver.interval,
                "waiting": self.saver.waiting,
                "failure": self.saver.failure,
            },
            "failures": self.background.failures,
            "ministack": version("ministack"),
            "aws_port": self.settings.aws_port,
            "https_port": self.settings.https_port,
            "dns_port": self.settings.dns_port,
            "regions": custom_domains.regional(),
            "replication": {
                "lag_seconds": self.replication.lag,
                "pending": self.replication.pending,
                "overwritten": self.replication.overwritten,
                "paused": sorted(self.replication.paused),
            },
            "endpoints": status.of_endpoints(self.faults),
            "answers_lost": self.faults.answers_lost,
            "health_checks": status.of_health_checks(self.route53.checkers),
            "edge": status.of_edge(self.route53),
            "switches": status.of_switches(),
        }


def _json(code: int, document: Document) -> Response:
    return code, {"content-type": "application/json"}, json.dumps(document).encode()
