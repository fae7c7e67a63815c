"""An outage that sets off every alarm that pages.

One cause for all: no Region can use its table. So each Region's own alarm goes off by what its
users get, the edge's by what users of the public name get, and the canary's because nobody gets
through, traffic or not.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

import requests

from drills import test_users
from drills.faults import EndpointFault
from drills.steady_state import await_steady_state
from tests.support.deployment_lock import deployment_lock
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drills.system import System

EVERY_SECONDS = 0.25
# The canary's checks are 30 s apart, it takes three of them and two minutes' data points.
OFF_SECONDS = 330.0
CALM_SECONDS = 420.0
QUICK = ("availability-fast-short", "public-path-down")


def paging(system: System) -> Mapping[str, str]:
    """Give the state of each alarm that pages: composites, the canary, and the pairs' quick ends.

    After an outage a composite stays on for the half hour of its slow pair's short window; the
    fast pair's is over in five minutes.
    """
    found: dict[str, str] = {}
    for region in system.regions:
        alarms = system.cloudwatch(region).describe_alarms(
            AlarmNamePrefix=f"{system.account.project}-{system.account.name}-",
            AlarmTypes=["CompositeAlarm", "MetricAlarm"],
        )
        found |= {one["AlarmName"]: one["StateValue"] for one in alarms["CompositeAlarms"]}
        found |= {
            one["AlarmName"]: one["StateValue"]
            for one in alarms["MetricAlarms"]
            if one["AlarmName"].endswith(QUICK)
        }
    return found


@contextmanager
def users(system: System) -> Iterator[None]:
    """While open, users ask each Region's own gateway, and the public name."""
    username, over = test_users.new_username(), Event()
    token = test_users.sign_up_and_in(system, username).access_token
    headers = {
        "authorization": f"Bearer {token}",
        "x-origin-key": system.deployment.origin_key,
    }
    urls = [system.deployment.api_url, *(stack.url for stack in system.deployment.regions)]

    def ask() -> None:
        with requests.Session() as session:
            while not over.wait(EVERY_SECONDS):
                for url in urls:
                    session.get(f"{url}/v1/items", headers=headers, timeout=30)

    asking = Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        over.set()
        asking.join()
        test_users.remove(system, username)


@contextmanager
def without_tables(system: System) -> Iterator[None]:
    """While open, no Region's function can use its table."""
    with ExitStack() as broken:
        for region in system.regions:
            fault = EndpointFault(region, "table")
            broken.callback(fault.unmake, system)
            fault.make(system)
        yield


def await_all(system: System, state: str, within: float) -> dict[str, str]:
    """Wait until every alarm that pages has a state; the seconds that each took."""
    began, took = time.monotonic(), {}

    def look() -> Mapping[str, str]:
        found = paging(system)
        for name, now in found.items():
            if now == state and name not in took:
                took[name] = f"{time.monotonic() - began:.0f} s"
        return found

    eventually(look, lambda seen: set(seen.values()) == {state}, within, every=1.0)
    return took


def set_off(system: System) -> Mapping[str, str]:
    """Break everything until every alarm that pages has gone off; how long each took."""
    with deployment_lock(system.deployment, alone=True):
        await_steady_state(system)
        eventually(lambda: _still_on(system), lambda seen: not seen, CALM_SECONDS, every=1.0)
        with users(system), without_tables(system):
            return await_all(system, "ALARM", OFF_SECONDS)


def _still_on(system: System) -> list[str]:
    """Which of the quick ones an earlier fault has set off: they couldn't be seen to go off."""
    states = paging(system)
    return [name for name, now in states.items() if name.endswith(QUICK) and now == "ALARM"]
