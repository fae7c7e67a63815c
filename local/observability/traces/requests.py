"""Where a stage decides what is traced, and sends its segment.

The stage takes up the tracing header, or begins a trace. When it traces, it obeys an upstream
decision or decides by the Region's sampling rules, and hands the decision on to the function.
"""

from __future__ import annotations

import random
import time
from dataclasses import replace

from local.http_messages import Response
from local.observability.traces import api, header, segments
from local.observability.traces.header import TraceHeader, new_segment_id
from local.observability.traces.sampling import Candidate, Sampler, matching
from local.observability.traces.segments import Call, Exchange, Span, Stage
from local.patches.chain import Proceed, RequestContext

_sampler = Sampler(random.random)


async def trace(context: RequestContext, proceed: Proceed) -> Response:
    """Send the tracing header on, and the stage's segment once the request is answered."""
    stage = _stage(context)
    taken_up, rule = _decided(context, stage)
    context.trace_header = str(taken_up)
    context.headers = {**context.headers, header.NAME: context.trace_header}
    start = time.time()
    response = await proceed()
    calls = _calls(context)
    if context.is_traced and taken_up.sampled:
        exchange = _exchange(context, response, rule)
        span = Span(start, time.time())
        document = segments.of_stage(stage, exchange, taken_up, span, calls)
        api.traces.put((stage.account, stage.region), document)
    return _with_trace_header(response, taken_up, calls)


def _stage(context: RequestContext) -> Stage:
    account, region = context.scope
    return Stage(account, region, context.api_id, context.api_name, context.stage_name)


def _decided(context: RequestContext, stage: Stage) -> tuple[TraceHeader, str | None]:
    """The header that goes on, and the sampling rule that decided, if one had to."""
    taken_up = header.read(context.headers.get(header.NAME))
    if not context.is_traced:
        return taken_up, None
    rule = None
    if taken_up.sampled is None:
        rule = matching(api.rules_here(), _candidate(context, stage))
        picked = rule is not None and _sampler.picks(
            f"{stage.account} {stage.region} {rule.name}", rule.reservoir, rule.rate, time.time()
        )
        taken_up = replace(taken_up, sampled=picked)
    return taken_up.below(new_segment_id()), rule.name if rule else None


def _candidate(context: RequestContext, stage: Stage) -> Candidate:
    return Candidate(
        service_name=stage.service_name,
        service_type="AWS::ApiGateway::Stage",
        host=context.request.name,
        method=context.request.method,
        url_path=context.request.path,
        resource_arn=stage.arn,
        headers=context.headers,
    )


def _calls(context: RequestContext) -> list[Call]:
    call = context.call
    return [Call(call.segment_id, call.reference, Span(call.start, call.end))] if call else []


def _exchange(context: RequestContext, response: Response, rule: str | None) -> Exchange:
    request = context.request
    status, _, body = response
    return Exchange(
        url=f"https://{request.name}{request.path}",
        method=request.method,
        client=request.client,
        user_agent=context.headers.get("user-agent", ""),
        request_id=request.request_id,
        status=status,
        size=len(body),
        rule=rule,
    )


def _with_trace_header(response: Response, taken_up: TraceHeader, calls: list[Call]) -> Response:
    """The answer with the trace's header, which the gateway adds to what a function answered."""
    status, headers, body = response
    return status, {**headers, header.NAME: str(taken_up)} if calls else headers, body
