"""Checkers at work on a clock that only moves when the test moves it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from local.dns.health import api
from local.dns.health.checkers import HealthCheckers, SystemClock
from local.dns.health.checks import HealthCheck, Metric, Outcome
from local.patches import route53

READY = HealthCheck("ready", "HTTPS", fqdn="us-east-1.example.com", port=443, interval=10)
TAKEOVER = replace(READY, id="takeover", inverted=True)
PRIMARY = HealthCheck("primary", "CALCULATED", children=("ready", "takeover"), health_threshold=2)
GOOD = Outcome(passed=True, status="Success: HTTP Status Code 200, OK")
DOWN = Outcome(passed=False, status="Failure: HTTP Status Code 503, Service Unavailable")
SILENT = Outcome(passed=False, status="Failure: nothing came", answered=False)


class StillClock:
    """Time that stands until `advance` moves it, waking who sleeps on the way."""

    def __init__(self) -> None:
        self._now = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        """Return seconds since the start."""
        return self._now

    def wall(self) -> datetime:
        """Return the start of 2026, moved on."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self._now)

    async def sleep_until(self, moment: float) -> None:
        """Wait for `advance` to reach the moment."""
        if moment > self._now:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._sleepers.append((moment, future))
            await future

    async def advance(self, seconds: float) -> None:
        """Move on, step by step through every moment that someone waits for."""
        end = self._now + seconds
        await _settle()
        while due := self._due(end):
            self._now = due
            self._wake()
            await _settle()
        self._now = end

    def _due(self, end: float) -> float | None:
        moments = [moment for moment, future in self._sleepers if not future.done()]
        return min((moment for moment in moments if moment <= end), default=None)

    def _wake(self) -> None:
        for moment, future in self._sleepers:
            if moment <= self._now and not future.done():
                future.set_result(None)
        self._sleepers = [sleeper for sleeper in self._sleepers if not sleeper[1].done()]


async def _settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class Emulator:
    """Checkers, an endpoint with given answers, and a record of everything."""

    def __init__(self, *checks: HealthCheck, remembered: dict[str, bool] | None = None) -> None:
        self.clock = StillClock()
        self.checks = list(checks)
        self.answers: dict[str, Outcome | Exception] = {}
        self.takes = 0.0
        self.asked: list[tuple[str, float]] = []
        self.metrics: list[Metric] = []
        self.checkers = HealthCheckers(
            lambda: tuple(self.checks),
            self._probe,
            remembered=remembered,
            on_metric=self.metrics.append,
            clock=self.clock,
        )

    async def _probe(self, check: HealthCheck) -> Outcome:
        self.asked.append((check.id, self.clock.now()))
        answer = self.answers.get(check.id, GOOD)
        await self.clock.sleep_until(self.clock.now() + self.takes)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def times(self, check_id: str) -> list[float]:
        """Return when a check's endpoint was asked."""
        return [round(at, 3) for asked, at in self.asked if asked == check_id]


def running(
    *checks: HealthCheck, remembered: dict[str, bool] | None = None
) -> Callable[[Callable[[Emulator], Awaitable[None]]], None]:
    def run(story: Callable[[Emulator], Awaitable[None]]) -> None:
        async def whole() -> None:
            emulator = Emulator(*checks, remembered=remembered)
            await emulator.checkers.start()
            try:
                await story(emulator)
            finally:
                await emulator.checkers.stop()

        asyncio.run(whole())

    return run


def test_three_checkers_ask_spread_over_the_interval() -> None:
    async def story(emulator: Emulator) -> None:
        await emulator.clock.advance(19.9)
        assert emulator.times("ready") == [0, 3.333, 6.667, 10, 13.333, 16.667]

    running(READY)(story)


def test_each_check_has_a_standing_of_its_own() -> None:
    async def story(emulator: Emulator) -> None:
        emulator.answers["ready"] = DOWN
        await emulator.clock.advance(60)
        standings = {each.id: each for each in emulator.checkers.statuses()}
        assert {each: found.healthy for each, found in standings.items()} == {
            "ready": False,
            "takeover": False,
            "standby": True,
            "primary": False,
        }
        assert (standings["ready"].type, standings["primary"].type) == ("HTTPS", "CALCULATED")
        assert {each.status for each in standings["ready"].observations} == {DOWN.status}
        assert {each.status for each in standings["standby"].observations} == {GOOD.status}

    running(READY, TAKEOVER, replace(READY, id="standby"), PRIMARY)(story)


def test_the_log_says_why_users_move_and_that_they_come_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story(emulator: Emulator) -> None:
        await emulator.clock.advance(9.9)
        emulator.answers["ready"] = DOWN
        await emulator.clock.advance(30)
        emulator.answers["ready"] = GOOD
        await emulator.clock.advance(60)

    with caplog.at_level("INFO", "local.dns.health.checkers"):
        running(READY, PRIMARY)(story)

    ready = [line for line in caplog.messages if "us-east-1.example.com/" in line]
    assert ["is unhealthy" in line for line in ready] == [True, False]
    assert DOWN.status in ready[0]
    primary = [line for line in caplog.messages if "CALCULATED" in line]
    assert [line.rpartition(" is ")[2] for line in primary] == [
        "unhealthy: by its children",
        "healthy: by its children",
    ]


def test_a_checks_own_regions_place_its_checkers() -> None:
    regions = ("eu-west-1", "sa-east-1", "us-west-1", "us-east-1")

    async def story(emulator: Emulator) -> None:
        await emulator.clock.advance(9.9)
        seen = [observation.region for observation in emulator.checkers.observations("ready")]
        assert tuple(seen) == regions

    running(replace(READY, regions=regions))(story)


def test_a_failure_is_noticed_after_threshold_times_interval() -> None:
    async def story(emulator: Emulator) -> None:
        await emulator.clock.advance(9.9)
        emulator.answers["ready"] = DOWN
        await emulator.clock.advance(26.6)
        assert emulator.checkers.is_healthy("ready")
        await emulator.clock.advance(0.3)
        assert not emulator.checkers.is_healthy("ready")
        assert emulator.clock.now() <= 9.9 + 30

    running(READY)(story)


def test_recovery_takes_the_threshold_too_but_one_checker_is_enough() -> None:
    async def story(emulator: Emulator) -> None:
        emulator.answers["ready"] = DOWN
        await emulator.clock.advance(29.9)
        assert not emulator.checkers.is_healthy("ready")
        emulator.answers["ready"] = GOOD
        await emulator.clock.advance(20)
        assert not emulator.checkers.is_healthy("ready")
        await emulator.clock.advance(0.3)
        assert emulator.checkers.is_healthy("ready")

    running(READY)(story)


def test_a_slow_answer_pushes_the_next_request_back() -> None:
    async def story(emulator: Emulator) -> None:
        emulator.takes = 1.5
        await emulator.clock.advance(12)
        assert emulator.times("ready")[0] == 0
        assert 11.5 in emulator.times("ready")

    running(READY)(story)


def test_silence_does_not_push_the_next_request_back() -> None:
    async def story(emulator: Emulator) -> None:
        emulator.takes = 2
        emulator.answers["ready"] = SILENT
        await emulator.clock.advance(12)
        assert 10 in emulator.times("ready")

    running(READY)(story)


def test_a_checker_that_breaks_counts_as_a_failure_and_goes_on() -> None:
    async def story(emulator: Emulator) -> None:
        emulator.answers["ready"] = RuntimeError("a bug")
        await emulator.clock.advance(29.9)
        assert not emulator.checkers.is_healthy("ready")
        emulator.answers["ready"] = GOOD
        await emulator.clock.advance(30)
        assert emulator.checkers.is_healthy("ready")

    running(READY)(story)


def test_the_operators_switch_makes_the_primary_unhealthy_while_it_answers() -> None:
    async def story(emulator: Emulator) -> None:
        emulator.answers["takeover"] = DOWN
        await emulator.clock.advance(60)
        assert emulator.checkers.is_healthy("primary")
        emulator.answers["takeover"] = GOOD
        await emulator.clock.advance(30)
        assert not emulator.checkers.is_healthy("primary")
        emulator.answers["takeover"] = DOWN
        await emulator.clock.advance(30)
        assert emulator.checkers.is_healthy("primary")

    running(READY, TAKEOVER, PRIMARY)(story)


def test_a_new_inverted_check_is_unhealthy_until_its_endpoint_has_failed_often_enough() -> None:
    async def story(emulator: Emulator) -> None:
        emulator.answers["takeover"] = DOWN
        assert not emulator.checkers.is_healthy("primary")
        await emulator.clock.advance(29.9)
        assert emulator.checkers.is_healthy("primary")

    running(READY, TAKEOVER, PRIMARY)(story)


def test_a_restart_goes_on_from_the_remembered_verdicts() -> None:
    kept: dict[str, bool] = {}

    async def before(emulator: Emulator) -> None:
        emulator.answers["takeover"] = DOWN
        await emulator.clock.advance(60)
        kept.update(emulator.checkers.verdicts())

    async def after(emulator: Emulator) -> None:
        assert emulator.checkers.is_healthy("primary")

    checks = (READY, TAKEOVER, PRIMARY)
    running(*checks)(before)
    assert kept == {"ready": True, "takeover": False}
    running(*checks, remembered=kept)(after)


def test_a_check_that_is_made_while_running_is_taken_up() -> None:
    async def story(emulator: Emulator) -> None:
        emulator.checks.append(READY)
        await emulator.clock.advance(1)
        assert emulator.times("ready") == [1]

    running()(story)


def test_a_deleted_check_is_asked_no_more_and_forgotten() -> None:
    async def story(emulator: Emulator) -> None:
        await emulator.clock.advance(1)
        emulator.checks.clear()
        await emulator.clock.advance(60)
        assert emulator.times("ready") == [0]
        assert emulator.checkers.status("ready") is None
        assert emulator.checkers.is_healthy("ready")

    running(READY)(story)


def test_a_disabled_check_is_asked_no_more_and_healthy() -> None:
    async def story(emulator: Emulator) -> None:
        emulator.answers["ready"] = DOWN
        await emulator.clock.advance(29.9)
        emulator.checks[:] = [replace(READY, disabled=True)]
        await emulator.clock.advance(1.1)
        asked = len(emulator.asked)
        await emulator.clock.advance(60)
        assert len(emulator.asked) == asked
        assert emulator.checkers.is_healthy("ready")

    running(READY)(story)


def test_a_check_that_is_enabled_again_starts_anew() -> None:
    async def story(emulator: Emulator) -> None:
        emulator.answers["ready"] = DOWN
        await emulator.clock.advance(29.9)
        for check in (replace(READY, disabled=True), READY):
            emulator.checks[:] = [check]
            await emulator.clock.advance(1)
        assert emulator.checkers.is_healthy("ready")
        await emulator.clock.advance(30)
        assert not emulator.checkers.is_healthy("ready")

    running(READY)(story)


def test_inverting_a_check_takes_effect_at_once_and_disturbs_no_checker() -> None:
    async def story(emulator: Emulator) -> None:
        await emulator.clock.advance(0.5)
        emulator.checks[:] = [replace(READY, inverted=True)]
        await emulator.clock.advance(19)
        assert not emulator.checkers.is_healthy("ready")
        assert emulator.times("ready") == [0, 3.333, 6.667, 10, 13.333, 16.667]

    running(READY)(story)


def test_another_endpoint_keeps_the_verdict_until_enough_results_speak_against_it() -> None:
    async def story(emulator: Emulator) -> None:
        emulator.answers["ready"] = DOWN
        await emulator.clock.advance(29.9)
        emulator.answers["ready"] = GOOD
        emulator.checks[:] = [replace(READY, path="/other")]
        await emulator.clock.advance(0.1)
        assert not emulator.checkers.is_healthy("ready")
        await emulator.clock.advance(21)
        assert emulator.checkers.is_healthy("ready")

    running(READY)(story)


def test_checks_that_cannot_be_read_leave_the_others_watched() -> None:
    async def story(emulator: Emulator) -> None:
        emulator.checks.append("not a check")  # type: ignore[arg-type]
        await emulator.clock.advance(29.9)
        assert len(emulator.times("ready")) == 9
        # And they are read again.
        emulator.checks[-1] = TAKEOVER
        await emulator.clock.advance(1)
        assert emulator.times("takeover")

    running(READY)(story)


def test_observations_tell_each_checkers_last_result_and_when() -> None:
    async def story(emulator: Emulator) -> None:
        await emulator.clock.advance(5)
        first, second = emulator.checkers.observations("ready")
        assert first.status == second.status == GOOD.status
        assert (second.checked_at - first.checked_at).total_seconds() == pytest.approx(10 / 3)
        assert first.ip_address != second.ip_address

    running(READY)(story)


def test_checkers_have_the_addresses_that_are_kept_for_documentation() -> None:
    async def story(emulator: Emulator) -> None:
        await emulator.clock.advance(9.9)
        seen = [observation.ip_address for observation in emulator.checkers.observations("ready")]
        assert seen == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]

    running(READY)(story)


def test_a_check_that_nothing_changed_in_goes_on_at_its_own_pace() -> None:
    async def story(emulator: Emulator) -> None:
        tasks = list(emulator.checkers._watched["ready"].tasks)
        emulator.checks[:] = [replace(READY)]
        await emulator.clock.advance(5)
        assert emulator.checkers._watched["ready"].tasks == tasks

    running(READY)(story)


def test_checkers_of_another_endpoint_take_the_place_of_those_before() -> None:
    async def story(emulator: Emulator) -> None:
        await emulator.clock.advance(0.5)
        emulator.checks[:] = [replace(READY, path="/other")]
        await emulator.clock.advance(1)
        asked = len(emulator.asked)
        await emulator.clock.advance(30)
        assert len(emulator.asked) - asked == 9

    running(READY)(story)


def test_a_check_that_is_made_again_is_told_of_again() -> None:
    async def story(emulator: Emulator) -> None:
        emulator.checks.clear()
        await emulator.clock.advance(1)
        emulator.metrics.clear()
        emulator.checks.append(READY)
        await emulator.clock.advance(1)
        assert [each.value for each in emulator.metrics if each.name == "HealthCheckStatus"] == [1]

    running(READY)(story)


def test_a_checker_that_breaks_says_so_and_asks_again_as_after_silence(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story(emulator: Emulator) -> None:
        emulator.takes = 2
        emulator.answers["ready"] = RuntimeError("a bug")
        await emulator.clock.advance(12)
        assert 10 in emulator.times("ready")
        (first, *_) = emulator.checkers.observations("ready")
        assert first.status == "Failure: The health checker failed"

    running(READY)(story)
    assert "health check ready could not be made" in caplog.messages


def test_the_machines_clock_only_moves_forward_and_knows_its_zone() -> None:
    clock = SystemClock()

    async def story() -> None:
        before = clock.now()
        await clock.sleep_until(before)
        await clock.sleep_until(before + 0.01)
        assert clock.now() >= before + 0.01

    asyncio.run(story())
    assert clock.wall().utcoffset() == timedelta(0)


def test_the_last_failure_stays_after_a_success() -> None:
    async def story(emulator: Emulator) -> None:
        emulator.answers["ready"] = DOWN
        await emulator.clock.advance(1)
        emulator.answers["ready"] = GOOD
        await emulator.clock.advance(10)
        assert emulator.checkers.observations("ready")[0].status == GOOD.status
        assert [each.status for each in emulator.checkers.last_failures("ready")] == [DOWN.status]

    running(READY)(story)


def test_metrics_come_every_minute_and_with_every_change() -> None:
    async def story(emulator: Emulator) -> None:
        def statuses() -> list[float]:
            return [m.value for m in emulator.metrics if m.name == "HealthCheckStatus"]

        assert statuses() == [1]
        await emulator.clock.advance(59)
        assert statuses() == [1]
        await emulator.clock.advance(1)
        assert statuses() == [1, 1]
        emulator.answers["ready"] = DOWN
        await emulator.clock.advance(30)
        assert statuses() == [1, 1, 0]

    running(READY)(story)


def test_a_metric_that_cannot_be_stored_stops_nothing() -> None:
    async def story(emulator: Emulator) -> None:
        def full(_metric: Metric) -> None:
            raise OSError("disk full")

        emulator.checkers._on_metric = full
        emulator.answers["ready"] = DOWN
        await emulator.clock.advance(89.9)
        assert not emulator.checkers.is_healthy("ready")
        assert len(emulator.times("ready")) == 27
        # Nor the next ones, once there is room.
        emulator.checkers._on_metric = emulator.metrics.append
        emulator.metrics.clear()
        await emulator.clock.advance(60)
        assert [m.value for m in emulator.metrics if m.name == "HealthCheckStatus"] == [0]

    running(READY)(story)


def texts(body: bytes, tag: str) -> list[str | None]:
    space = "{https://route53.amazonaws.com/doc/2013-04-01/}"
    return [element.text for element in ET.fromstring(body).iter(space + tag)]  # noqa: S314 - ours


def test_the_api_tells_status_and_last_failure() -> None:
    async def story(emulator: Emulator) -> None:
        emulator.answers["ready"] = DOWN
        await emulator.clock.advance(1)
        emulator.answers["ready"] = GOOD
        await emulator.clock.advance(10)
        path = "/2013-04-01/healthcheck/ready/"
        answer = api.respond("GET", path + "status", b"", emulator.checkers)
        failed = api.respond("GET", path + "lastfailurereason", b"", emulator.checkers)
        assert answer is not None
        assert failed is not None
        assert texts(answer[2], "Status") == [GOOD.status] * 3
        assert texts(answer[2], "Region") == ["us-east-1", "us-west-2", "eu-west-1"]
        assert texts(answer[2], "IPAddress") == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
        assert texts(answer[2], "CheckedTime")[0] == "2026-01-01T00:00:10.000Z"
        assert texts(failed[2], "Status") == [DOWN.status]

    running(READY)(story)


def test_the_api_refuses_calculated_and_unknown_checks() -> None:
    async def story(emulator: Emulator) -> None:
        def code(check_id: str) -> tuple[int, str | None]:
            path = f"/2013-04-01/healthcheck/{check_id}/status"
            answer = api.respond("GET", path, b"", emulator.checkers)
            assert answer is not None
            return answer[0], texts(answer[2], "Code")[0]

        assert code("primary") == (400, "InvalidInput")
        assert code("nobody") == (404, "NoSuchHealthCheck")

    running(READY, TAKEOVER, PRIMARY)(story)


@pytest.mark.parametrize(
    ("method", "path", "refused"),
    [
        ("POST", "/2013-04-01/healthcheck", "health checks of type TCP: not emulated"),
        ("POST", "/2013-04-01/healthcheck/x/", "health checks of type TCP: not emulated"),
        ("DELETE", "/2013-04-01/healthcheck/ready", "parent health check(s): a, primary"),
        ("DELETE", "/2013-04-01/healthcheck/primary", None),
        ("GET", "/2013-04-01/healthcheck", None),
        ("POST", "/2013-04-01/hostedzone", None),
        ("DELETE", "/2013-04-01/hostedzone/ready", None),
    ],
)
def test_the_api_refuses_what_aws_refuses_and_what_is_not_emulated(
    monkeypatch: pytest.MonkeyPatch, method: str, path: str, refused: str | None
) -> None:
    monkeypatch.setattr(route53, "requested_health_check", lambda _body: {"Type": "TCP"})
    parents = {name: {"ChildHealthChecks": ["ready"]} for name in ("primary", "a")}
    monkeypatch.setattr(route53, "health_check_configurations", lambda: parents)

    async def story(emulator: Emulator) -> None:
        answer = api.respond(method, path, b"", emulator.checkers)
        if refused is None:
            assert answer is None
            return
        assert answer is not None
        assert (answer[0], texts(answer[2], "Code")) == (400, ["InvalidInput"])
        assert refused in str(texts(answer[2], "Message"))

    running(READY)(story)


def test_what_is_emulated_is_left_to_ministack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route53, "requested_health_check", lambda _body: {"Type": "HTTPS"})

    async def story(emulator: Emulator) -> None:
        path = "/2013-04-01/healthcheck"
        assert api.respond("POST", path, b"", emulator.checkers) is None

    running(READY)(story)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/2013-04-01/healthcheck/ready"),
        ("POST", "/2013-04-01/healthcheck/ready/status"),
        ("GET", "/2013-04-01/hostedzone/Z1/status"),
    ],
)
def test_other_requests_are_left_to_others(method: str, path: str) -> None:
    async def story(emulator: Emulator) -> None:
        assert api.respond(method, path, b"", emulator.checkers) is None

    running(READY)(story)
