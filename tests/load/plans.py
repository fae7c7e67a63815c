"""A plan, and an account to be loaded, for what needs only their form."""

from __future__ import annotations

from load.phone import SignedIn
from load.records import Plan
from load.targets import Limits, Targets

PLAN = Plan(
    url="http://127.0.0.1:1",
    token_url="http://127.0.0.1:1/",
    client_id="client",
    ca="",
    resolves_localhost=False,
    users=(SignedIn("ada", "an access token", "a refresh token"),),
    visits_a_second=10.0,
    seconds=1.0,
    drain_seconds=0.5,
    seed=1,
)
LIMITS = Limits(method_rate=1000.0, address_requests=10_000.0, read_units=None, write_units=None)
TARGETS = Targets(
    availability=99.9,
    latency_ms=1000.0,
    limits=LIMITS,
    max_dollars=5.0,
    memory_mb=1024.0,
    trace_rate=0.01,
    pool_tier="lite",
    asks_twice=False,
)
