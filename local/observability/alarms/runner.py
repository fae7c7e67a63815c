"""Evaluates every metric alarm of every Region, again and again, beside the application.

CloudWatch does it once a minute (AmazonCloudWatch/latest/monitoring/alarm-evaluation), the emulator
at the interval of LOCAL_ALARM_INTERVAL, so that nobody waits for the minute to come round.
Composite alarms follow from their children's changes: ministack does that itself.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from local.observability.alarms import evaluation as alarms
from local.observability.alarms.evaluation import Verdict
from local.observability.metrics.queries import QueryError
from local.observability.metrics.store import Store
from local.patches import cloudwatch
from local.patches.scope import within

logger = logging.getLogger("local.alarms")


class Runner:
    """The rounds; `store` is shared with GetMetricData."""

    def __init__(
        self, interval: float, store: Store, clock: Callable[[], float] = time.time
    ) -> None:
        self.interval = interval
        self._store = store
        self._clock = clock

    async def run(self, changed: Callable[[], None]) -> None:
        """Evaluate at every interval until cancelled; `changed` is called when a state did."""
        while True:
            await asyncio.sleep(self.interval)
            try:
                for moved in self._steps():
                    if moved:
                        changed()
                    # Requests are answered between one alarm and the next.
                    await asyncio.sleep(0)
            except Exception:
                # The next round must come, whatever one alarm holds.
                logger.exception("a round of alarms failed")

    def round(self) -> int:
        """Evaluate every alarm once; how many changed."""
        return sum(self._steps())

    def _steps(self) -> Iterator[bool]:
        """Evaluate one alarm after the other; whether it changed."""
        self._store.settle()
        for key, document in cloudwatch.all_alarms():
            # Others set and delete alarms meanwhile.
            if not cloudwatch.is_current(key, document):
                continue
            account, region, _ = key
            with within((account, region)):
                moved = self._evaluate(document)
            yield moved

    def _evaluate(self, document: dict[str, Any]) -> bool:
        try:
            alarm = alarms.read(document)
            verdict = alarms.evaluate(
                alarm, self._store.fetch, self._clock(), document["StateValue"]
            )
        except QueryError as error:
            logger.warning("alarm %s can't be evaluated: %s", document["AlarmName"], error)
            return False
        if verdict.state == document["StateValue"]:
            return False
        _move(document, verdict, alarm.threshold, self._clock())
        return True


def _move(document: dict[str, Any], verdict: Verdict, threshold: float, now: float) -> None:
    """Change the state, write history, call the actions, and let composite alarms follow."""
    before = document["StateValue"]
    data = {
        "version": "1.0",
        "queryDate": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "recentDatapoints": list(verdict.recent),
        "threshold": threshold,
    }
    document.update(
        StateValue=verdict.state,
        StateReason=verdict.reason,
        StateReasonData=json.dumps(data),
        StateUpdatedTimestamp=int(now),
        StateTransitionedTimestamp=int(now),
    )
    name = document["AlarmName"]
    logger.info("alarm %s: %s → %s: %s", name, before, verdict.state, verdict.reason)
    cloudwatch.tell_change(document, before, data)
