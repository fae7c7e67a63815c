"""The health routes: what Route 53 and operators go by, served by a function of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from items.api import Answer, Api, Route
from items.problems import Problem

if TYPE_CHECKING:
    from items.health import Probe
    from items.observability import Observer
    from items.request import Request
    from items.settings import FunctionSettings


class HealthApi(Api):
    """Says how one Region is, whatever its users ask of it."""

    def __init__(self, settings: FunctionSettings, probe: Probe, observe: Observer) -> None:
        self._probe = probe
        super().__init__(
            settings,
            observe,
            tuple(
                Route(method, resource, answer)
                for resource, answer in (
                    ("/health", self.health),
                    ("/health/ready", self.ready),
                    ("/health/takeover", self.takeover),
                )
                # HEAD is what uptime monitors send.
                for method in ("GET", "HEAD")
            ),
        )

    def health(self, _: Request) -> Answer:
        """GET /health."""
        return self._ok()

    def ready(self, _: Request) -> Answer:
        """GET /health/ready."""
        readiness = self._probe.ready()
        if readiness.failed is None:
            return self._ok()
        self._observe.unavailable(f"{readiness.failed} {readiness.reason}")
        raise Problem(
            503,
            f"This Region can't use its table: {readiness.failed} failed ({readiness.reason}).",
            extras={"failed": readiness.failed, "reason": str(readiness.reason)},
        )

    def takeover(self, _: Request) -> Answer:
        """GET /health/takeover.

        Whatever isn't a plain yes is a 404: a failure for a health check, as only 2xx and 3xx are
        good (Route 53's dns-failover-determining-health-of-endpoints), and no 5xx, which anybody
        could ask for until the on-call is paged. A switch that can't be read moves nobody: the
        same replica fails /health/ready, so that this Region is no place to move users to.
        """
        active = self._probe.takeover()
        if active:
            return self._ok()
        if active is None:
            self._observe.unavailable("takeover")
            raise Problem(
                404,
                "Whether takeover is active in this Region can't be known, as its table "
                "can't be read. It counts as not active. Look at /health/ready.",
                extras={"reason": "unknown"},
            )
        raise Problem(404, "Takeover is not active in this Region.")

    def _ok(self) -> Answer:
        return Answer(200, {"status": "ok", "region": self._settings.region})
