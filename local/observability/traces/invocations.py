"""Where a function decides what is traced, and sends its segments.

A function with active tracing decides for itself when nobody before it did: one request a second,
and five percent of those beyond, which can't be configured (docs.aws.amazon.com/lambda/latest/dg/
services-xray.html). Otherwise it is traced only when its caller decided so.
"""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import Any

from local.observability.traces import api, header, segments
from local.observability.traces.daemon import Daemon, Role
from local.observability.traces.sampling import Sampler
from local.observability.traces.segments import Invocation, Span
from local.patches.scope import here

RESERVOIR, RATE = 1, 0.05


class InvocationTracer:
    """Traces the invocations of all functions, and gives each role a daemon."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._sampler = Sampler(random.random)
        self._daemons: dict[Role, Daemon] = {}

    def began(
        self,
        config: dict[str, Any],
        caller: str | None,
        segment_id: str,
    ) -> Invocation | None:
        """An invocation's place in its trace; None for a function that nobody traces."""
        active = config.get("TracingConfig", {}).get("Mode") == "Active"
        if caller is None and not active:
            return None
        taken_up = header.read(caller)
        if caller is not None:
            taken_up = taken_up.below(segment_id)
        if taken_up.sampled is None:
            name = f"{config['FunctionArn']} {config.get('Version')}"
            picked = active and self._sampler.picks(name, RESERVOIR, RATE, time.time())
            taken_up = replace(taken_up, sampled=picked)
        return Invocation(taken_up)

    def header(self, trace: Invocation) -> str:
        """The tracing header that the function gets."""
        return str(trace.header_below())

    def initialized(self, trace: Invocation, start: float, end: float) -> None:
        """The invocation has started an environment."""
        trace.initialization = Span(start, end)

    def ended(  # noqa: PLR0913 - what a segment is made of
        self, trace: Invocation, arn: str, request_id: str, start: float, end: float, *,
        failed: bool,
    ) -> None:  # fmt: skip
        """Send the segments of an invocation that is traced."""
        if trace.header.sampled:
            span = Span(start, end)
            for document in segments.of_invocation(trace, arn, request_id, span, failed=failed):
                api.traces.put(here(), document)

    def environment(self, region: str, credentials: dict[str, str]) -> dict[str, str]:
        """What a function's environment has of X-Ray (configuration-envvars), daemon included."""
        role = Role(
            endpoint=self._endpoint,
            region=region,
            access_key_id=credentials["AWS_ACCESS_KEY_ID"],
            secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
            session_token=credentials["AWS_SESSION_TOKEN"],
        )
        if role not in self._daemons:
            self._daemons[role] = Daemon(role)
        return {
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            "AWS_XRAY_DAEMON_ADDRESS": self._daemons[role].address,
        }
