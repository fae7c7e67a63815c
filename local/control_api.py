"""The emulator's own small API below /_local/: status, faults, the replication's lag."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any
from urllib.parse import parse_qs

from local import status
from local.dns.data_plane import DataPlane
from local.faults import FaultError, Faults, fault_of, known_region
from local.http_messages import Request, Response
from local.patches import custom_domains
from local.replication import Replication
from local.settings import Settings

logger = logging.getLogger("local")

Document = dict[str, Any]


@dataclass(slots=True)
class ControlApi:
    """What steers one emulator. `follow_faults` opens and shuts the Regions' endpoints."""

    settings: Settings
    faults: Faults
    replication: Replication
    route53: DataPlane
    follow_faults: Callable[[], Awaitable[None]]
    ready: bool = False
    _started: float = field(default_factory=time.time)

    async def answer(self, request: Request) -> Response:
        """Answer one request, whose sender is known."""
        if not self.ready:
            return _json(503, {"message": "starting"})
        try:
            return _json(200, await self._done(request))
        except FaultError as error:
            return _json(400, {"message": str(error)})
        except LookupError:
            return _json(404, {"message": "no such thing here"})

    async def _done(self, request: Request) -> Document:
        """Raises FaultError for what can't be done, LookupError for what there isn't."""
        match (request.method, request.path):
            case ("GET", "/_local/status"):
                return self._status()
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
            "health_checks": status.of_health_checks(self.route53.checkers),
            "edge": status.of_edge(self.route53),
        }


def _json(code: int, document: Document) -> Response:
    return code, {"content-type": "application/json"}, json.dumps(document).encode()
