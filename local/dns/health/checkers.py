"""Health checkers at work: several per check, each on its own clock, one verdict."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from local.dns.health import checks as rules
from local.dns.health.checks import CheckerState, HealthCheck, Metric, Outcome

_log = logging.getLogger(__name__)

METRIC_SECONDS = 60.0

# Runs something that ends only when it is cancelled, under a name.
Spawn = Callable[[Coroutine[Any, Any, None], str], "asyncio.Task[None]"]


class Clock(Protocol):
    """Time, as the checkers see it."""

    def now(self) -> float:
        """Return seconds on a clock that only moves forward."""

    def wall(self) -> datetime:
        """Return the date and time, with its zone."""

    async def sleep_until(self, moment: float) -> None:
        """Return once `now()` is `moment` or later."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return the monotonic clock's seconds."""
        return time.monotonic()

    def wall(self) -> datetime:
        """Return the time in UTC."""
        return datetime.now(UTC)

    async def sleep_until(self, moment: float) -> None:
        """Sleep; a moment that has passed yields to others once."""
        await asyncio.sleep(max(0.0, moment - self.now()))


@dataclass(frozen=True, slots=True)
class Observation:
    """What one checker last reported, as GetHealthCheckStatus gives it."""

    region: str
    ip_address: str
    status: str
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class HealthStatus:
    """A check's standing: `healthy` with inversion applied, and each checker's last report."""

    id: str
    type: str
    healthy: bool
    observations: tuple[Observation, ...]


@dataclass(slots=True)
class _Checker:
    region: str
    ip_address: str
    position: int
    state: CheckerState
    last: Observation | None = None
    last_failure: Observation | None = None


@dataclass(slots=True)
class _Watched:
    check: HealthCheck
    checkers: list[_Checker]
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def states(self) -> list[CheckerState]:
        return [checker.state for checker in self.checkers]


def _ignore(_metric: Metric) -> None:
    pass


def spawn_task(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Run something as a task that nobody watches."""
    return asyncio.create_task(work, name=name)


class HealthCheckers:
    """Keeps every health check of `checks()` probed, from `start()` to `stop()`.

    `checks` is read again every `poll_seconds`: new checks start, deleted ones stop, changed ones
    go on. A change of the endpoint is not a new check, so its checkers keep their verdict until
    enough results speak against it; a check that was disabled starts anew.

    `probe` sends one request. `regions` are the checkers' places for checks that name none.
    `remembered` holds verdicts before inversion from an earlier run (see `verdicts`): AWS's
    checkers don't restart, and an inverted check that starts as new is unhealthy for a while.
    `on_metric` gets every check's data points once a minute and at once when a status changes.
    `spawn` runs the checkers.
    """

    def __init__(  # noqa: PLR0913 (everything outside is injected)
        self,
        checks: Callable[[], Iterable[HealthCheck]],
        probe: Callable[[HealthCheck], Awaitable[Outcome]],
        *,
        regions: Sequence[str] = rules.CHECKER_REGIONS[:3],
        remembered: Mapping[str, bool] | None = None,
        on_metric: Callable[[Metric], None] = _ignore,
        clock: Clock | None = None,
        poll_seconds: float = 1.0,
        spawn: Spawn = spawn_task,
    ) -> None:
        self._checks = checks
        self._probe = probe
        self._regions = tuple(regions)
        self._remembered = dict(remembered or {})
        self._on_metric = on_metric
        self._clock = clock or SystemClock()
        self._poll_seconds = poll_seconds
        self._spawn = spawn
        self._watched: dict[str, _Watched] = {}
        self._published: dict[str, bool] = {}
        self._loops: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Read the checks and start their checkers."""
        self.refresh()
        self._loops = [
            self._spawn(self._follow_checks(), "health checks: configuration"),
            self._spawn(self._publish_each_minute(), "health checks: metrics"),
        ]

    async def stop(self) -> None:
        """Stop every checker; statuses stay readable."""
        tasks = self._loops + [task for each in self._watched.values() for task in each.tasks]
        self._loops = []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def is_healthy(self, check_id: str) -> bool:
        """A check's status, as the routing rules need it."""
        return rules.is_healthy(check_id, self._configured(), self._states)

    def status(self, check_id: str) -> HealthStatus | None:
        """Return a check's standing, or None when there is no such check."""
        watched = self._watched.get(check_id)
        if watched is None:
            return None
        return HealthStatus(
            id=check_id,
            type=watched.check.type,
            healthy=self.is_healthy(check_id),
            observations=self.observations(check_id),
        )

    def statuses(self) -> tuple[HealthStatus, ...]:
        """Return every check's standing."""
        found = (self.status(check_id) for check_id in self._watched)
        return tuple(status for status in found if status is not None)

    def observations(self, check_id: str) -> tuple[Observation, ...]:
        """Return each checker's last report; none from checkers that have not reported yet."""
        watched = self._watched.get(check_id)
        checkers = watched.checkers if watched else ()
        return tuple(checker.last for checker in checkers if checker.last is not None)

    def last_failures(self, check_id: str) -> tuple[Observation, ...]:
        """Return each checker's last failure; none from checkers that never saw one."""
        watched = self._watched.get(check_id)
        checkers = watched.checkers if watched else ()
        return tuple(each.last_failure for each in checkers if each.last_failure is not None)

    def verdicts(self) -> dict[str, bool]:
        """Return the endpoint checks' status before inversion, for the next run to remember."""
        return {
            check_id: rules.endpoint_healthy(watched.states())
            for check_id, watched in self._watched.items()
            if watched.checkers
        }

    def refresh(self) -> None:
        """Read the checks now: start what is new, stop what is gone, take changes up."""
        current = {check.id: check for check in self._checks()}
        for check_id in self._watched.keys() - current.keys():
            self._cancel(self._watched.pop(check_id))
            self._published.pop(check_id, None)
        for check in current.values():
            self._take_up(check)
        self._publish_changes()

    def _take_up(self, check: HealthCheck) -> None:
        before = self._watched.get(check.id)
        if before is not None and before.check.probes == check.probes:
            changed = not check.same_endpoint(before.check)
            before.check = check
            if changed:
                self._restart(before)
            return
        if before is not None:
            self._cancel(before)
        healthy = self._remembered.pop(check.id, True)
        self._watched[check.id] = _Watched(check, self._new_checkers(check, healthy=healthy))
        self._run(self._watched[check.id])

    def _new_checkers(self, check: HealthCheck, *, healthy: bool) -> list[_Checker]:
        if not check.probes:
            return []
        places = enumerate(check.regions or self._regions)
        return [
            # An address of the block that is kept for documentation (RFC 5737): AWS reports the
            # checker's own, and all of ours are this machine.
            _Checker(region, f"192.0.2.{position + 1}", position, CheckerState(healthy))
            for position, region in places
        ]

    def _restart(self, watched: _Watched) -> None:
        self._cancel(watched)
        healthy = rules.endpoint_healthy(watched.states())
        watched.checkers = self._new_checkers(watched.check, healthy=healthy)
        self._run(watched)

    def _run(self, watched: _Watched) -> None:
        name = f"health check {watched.check.id}"
        watched.tasks = [
            self._spawn(self._keep_asking(watched, checker), name) for checker in watched.checkers
        ]

    @staticmethod
    def _cancel(watched: _Watched) -> None:
        for task in watched.tasks:
            task.cancel()

    async def _keep_asking(self, watched: _Watched, checker: _Checker) -> None:
        count, interval = len(watched.checkers), watched.check.interval
        due = self._clock.now() + rules.first_request(checker.position, count, interval)
        while True:
            await self._clock.sleep_until(due)
            sent_at = self._clock.now()
            outcome = await self._outcome(watched.check)
            answered_at = self._clock.now() if outcome.answered else None
            due = rules.next_request(sent_at, answered_at, interval)
            self._record(watched.check, checker, outcome)

    async def _outcome(self, check: HealthCheck) -> Outcome:
        try:
            return await self._probe(check)
        except Exception:
            # A checker that dies would leave its last verdict standing for ever.
            _log.exception("health check %s could not be made", check.id)
            status = "Failure: The health checker failed"
            return Outcome(passed=False, status=status, answered=False)

    def _record(self, check: HealthCheck, checker: _Checker, outcome: Outcome) -> None:
        checker.state = rules.observe(
            checker.state, passed=outcome.passed, threshold=check.failure_threshold
        )
        checker.last = Observation(
            checker.region, checker.ip_address, outcome.status, self._clock.wall()
        )
        if not outcome.passed:
            checker.last_failure = checker.last
        self._publish_changes()

    def _configured(self) -> dict[str, HealthCheck]:
        return {check_id: watched.check for check_id, watched in self._watched.items()}

    def _states(self, check_id: str) -> Sequence[CheckerState]:
        return self._watched[check_id].states()

    async def _follow_checks(self) -> None:
        while True:
            await self._clock.sleep_until(self._clock.now() + self._poll_seconds)
            try:
                self.refresh()
            except Exception:
                # The source is another component; what is watched now goes on being watched.
                _log.exception("health checks could not be read")

    async def _publish_each_minute(self) -> None:
        while True:
            await self._clock.sleep_until(self._clock.now() + METRIC_SECONDS)
            for check_id in tuple(self._watched):
                self._publish(check_id)

    def _publish_changes(self) -> None:
        for check_id in tuple(self._watched):
            healthy = self.is_healthy(check_id)
            before = self._published.get(check_id)
            if before is not healthy:
                self._published[check_id] = healthy
                if before is not None:
                    self._log_change(check_id, healthy=healthy)
                self._publish(check_id)

    def _log_change(self, check_id: str, *, healthy: bool) -> None:
        """Say why users move, or come back: with what each checker last saw."""
        watched = self._watched[check_id]
        seen = "; ".join(each.last.status for each in watched.checkers if each.last)
        check, verdict = watched.check, "healthy" if healthy else "unhealthy"
        _log.info(
            "health check %s (%s %s%s) is %s: %s",
            *(check_id, check.type, check.fqdn, check.path, verdict, seen or "by its children"),
        )

    def _publish(self, check_id: str) -> None:
        check, configured = self._watched[check_id].check, self._configured()
        for metric in rules.metrics_of(check, configured, self._states, self._clock.wall()):
            try:
                self._on_metric(metric)
            except Exception:
                # Metrics are for looking at; a check must not stop because they can't be stored.
                _log.exception("metric %s of %s not stored", metric.name, check_id)
