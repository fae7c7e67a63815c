"""The phones, in a process of their own: locust, whose gevent patches the modules that it finds.

Nothing else here imports either. Reads a plan from its standard input, and writes what comes of it
to its standard output, a record a line; ends early when its input closes, as when its parent dies.
An open loop: people open the app by the clock alone, however those before them fare.
"""

from __future__ import annotations

# Before all that uses sockets: it patches them.
from locust import User, constant, task  # isort: skip
from locust.contrib.fasthttp import FastHttpSession  # isort: skip
from locust.env import Environment  # isort: skip

import json
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from random import Random
from typing import Any

import gevent
from gevent import ssl
from gevent.event import Event
from gevent.pool import Group

from load.habits import Habits, a_visit
from load.phone import GOOD, REFRESH, Call, Phone, Reply
from load.records import Attempt, Ended, Plan, Record, Settled, line_of
from project import resolver

# A mobile client's patience: to connect, and for an answer.
CONNECT_SECONDS = 4.0
ANSWER_SECONDS = 8.0
FLUSH_SECONDS = 0.25
USER_AGENT = "landing-load"


@dataclass(slots=True)
class Traffic:
    """What all phones share."""

    plan: Plan
    environment: Environment
    tls: ssl.SSLContext
    began: float = field(default_factory=time.monotonic)
    under_way: Group = field(default_factory=Group)
    waiting: list[Phone] = field(default_factory=list)
    visits: int = 0
    habits: Habits = field(default_factory=Habits)

    def now(self) -> float:
        """Seconds since the traffic began."""
        return time.monotonic() - self.began

    def session(self, user: User) -> FastHttpSession:
        """Connect afresh: between two visits a phone's connections are gone."""
        return FastHttpSession(
            base_url=self.plan.url,
            request_event=self.environment.events.request,
            user=user,
            insecure=False,
            ssl_context_factory=lambda: self.tls,
            connection_timeout=CONNECT_SECONDS,
            network_timeout=ANSWER_SECONDS,
            max_redirects=0,
            max_retries=0,
            headers={"user-agent": USER_AGENT},
        )

    def answered(self, *, context: dict[str, Any], response_time: float, **rest: Any) -> None:  # noqa: ANN401
        """Note a request that locust reports: its time is in milliseconds."""
        call: Call = context["call"]
        response, ended = rest["response"], self.now()
        status = int(response.status_code) or None
        headers = _headers(response)
        self.write(
            Attempt(
                route=call.route,
                due=call.due,
                sent=ended - response_time / 1000,
                ended=ended,
                number=call.number,
                status=status,
                region="user pool" if call.route == REFRESH else headers.get("x-served-by", ""),
                error="" if status in GOOD[call.route] else _error(status, response),
                request_id=headers.get("x-amz-cf-id", ""),
            )
        )

    def write(self, record: Record) -> None:
        """Hand a record to whoever started this."""
        sys.stdout.write(line_of(record) + "\n")


@dataclass(slots=True)
class Network:
    """What one visit has to send with."""

    traffic: Traffic
    session: FastHttpSession

    def now(self) -> float:
        """Tell the time."""
        return self.traffic.now()

    def wait_until(self, at: float) -> None:
        """Come back then."""
        gevent.sleep(max(0.0, at - self.now()))

    def send(self, call: Call) -> Reply:
        """Send a request; locust reports it to `Traffic.answered` before this returns."""
        response = self.session.request(
            call.method,
            call.path,
            name=call.route,
            headers=dict(call.headers),
            data=json.dumps(call.body) if call.body else None,
            context={"call": call},
        )
        status = int(response.status_code) or None
        return Reply(status, _headers(response), _document(response))

    def settled(self, call: Call, problem: str) -> None:
        """Note that a write is over."""
        self.traffic.write(Settled(call.route, problem))


def _devices(traffic: Traffic) -> type[User]:
    """Make the class that locust makes its users of."""
    plan = traffic.plan
    mean_seconds = len(plan.users) / plan.visits_a_second

    class Device(User):
        """Whose app is opened by the clock; each visit goes its own way."""

        wait_time = constant(0)

        def on_start(self) -> None:
            self.phone = traffic.waiting.pop()
            self.arrivals = _arrivals(self.phone.chance, mean_seconds)

        @task
        def open_the_app(self) -> None:
            """Wait until it is opened, and leave the visit to itself."""
            due = next(self.arrivals)
            gevent.sleep(max(0.0, due - traffic.now()))
            traffic.visits += 1
            traffic.under_way.spawn(self.visit, due)

        def visit(self, due: float) -> None:
            """Do what a visit does, and hang up."""
            session = traffic.session(self)
            try:
                visit = a_visit(traffic.habits, self.phone.chance)
                self.phone.visit(Network(traffic, session), visit, due)
            finally:
                session.client.close()

    return Device


def _arrivals(chance: Random, mean_seconds: float) -> Iterator[float]:
    """When one person opens the app: a Poisson process, whose sum over all is one, too."""
    at = 0.0
    while True:
        at += chance.expovariate(1 / mean_seconds)
        yield at


def _headers(response: Any) -> Mapping[str, str]:  # noqa: ANN401 - locust's, without types
    found = getattr(response, "headers", None) or {}
    return {str(name).lower(): str(value) for name, value in found.items()}


def _document(response: Any) -> Any:  # noqa: ANN401 - as above, and JSON
    try:
        return json.loads(response.content or b"null")
    except ValueError:
        return None


def _error(status: int | None, response: Any) -> str:  # noqa: ANN401 - as above
    """Name what went wrong, the same for the same reason."""
    if status is None:
        # What the client tells of a request that it may not try again is that it didn't.
        error = getattr(response.error, "original", None) or response.error
        return f"no answer: {type(error).__name__}"
    document = _document(response)
    problem = document if isinstance(document, dict) else {}
    kind = str(problem.get("type", "about:blank"))
    name = problem.get("title", "of the edge") if kind == "about:blank" else kind.rpartition("/")[2]
    return f"{status} {name}"


def _run(traffic: Traffic, stop: Event) -> None:
    """Let people open the app until the time is over, and see their visits to an end."""
    runner = traffic.environment.create_local_runner()
    count = len(traffic.plan.users)
    runner.start(count, spawn_rate=count)
    stopped = stop.wait(traffic.plan.seconds)
    runner.stop()
    if not stopped:
        gevent.wait(
            [stop, gevent.spawn(traffic.under_way.join)],
            timeout=traffic.plan.drain_seconds,
            count=1,
        )
    cut = len(traffic.under_way)
    traffic.under_way.kill()
    runner.quit()
    traffic.write(Ended(traffic.visits, cut))


def _flush() -> None:
    while True:
        gevent.sleep(FLUSH_SECONDS)
        sys.stdout.flush()


def _stop_with_the_parent(stop: Event) -> None:
    gevent.socket.wait_read(sys.stdin.fileno())
    stop.set()


def main() -> None:
    """Do what the plan says."""
    # Ctrl-C reaches the parent as well, which closes this one's input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    plan = Plan.read(sys.stdin.readline())
    environment = Environment()
    tls = ssl.create_default_context(cafile=plan.ca or None)
    with ExitStack() as stack:
        if plan.resolves_localhost:
            stack.enter_context(resolver.installed())
            # locust's client asks gevent itself.
            gevent.socket.getaddrinfo = socket.getaddrinfo
        traffic = Traffic(plan, environment, tls)
        chance = Random(plan.seed)  # noqa: S311 - nobody is to guess it
        traffic.waiting.extend(
            Phone(user, plan.token_url, plan.client_id, traffic.habits, Random(chance.random()))  # noqa: S311
            for user in plan.users
        )
        environment.user_classes = [_devices(traffic)]
        environment.events.request.add_listener(traffic.answered)  # type: ignore[no-untyped-call]
        stop = Event()
        gevent.spawn(_flush)
        gevent.spawn(_stop_with_the_parent, stop)
        _run(traffic, stop)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
