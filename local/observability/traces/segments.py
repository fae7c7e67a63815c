"""What API Gateway and Lambda say of a request: their segments.

Shapes: xray-api-segmentdocuments; for the gateway
docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-understanding-xray-traces.html; for
the function docs.aws.amazon.com/lambda/latest/dg/services-xray.html, by which a function's own
subsegments lie below `Invocation`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from local.observability.traces.header import TraceHeader, new_segment_id

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when, in seconds since the epoch."""

    start: float
    end: float

    def times(self) -> Document:
        """As a segment says it."""
        return {"start_time": self.start, "end_time": self.end}


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a REST API."""

    account: str
    region: str
    api_id: str
    api_name: str
    name: str

    @property
    def service_name(self) -> str:
        """What its segments are called."""
        return f"{self.api_name}/{self.name}"

    @property
    def arn(self) -> str:
        """The stage's ARN."""
        return f"arn:aws:apigateway:{self.region}::/restapis/{self.api_id}/stages/{self.name}"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request to a stage, and its answer. `rule` names the sampling rule that picked it."""

    url: str
    method: str
    client: str
    user_agent: str
    request_id: str
    status: int
    size: int
    rule: str | None


@dataclass(frozen=True, slots=True)
class Call:
    """The gateway's call of a function."""

    segment_id: str
    function_arn: str
    span: Span


@dataclass(slots=True)
class Invocation:
    """A function's invocation: the header that it gets, and what becomes of it.

    `header` names the segment that called, `segment_id` and `invocation_id` are those that Lambda
    itself makes of it; `initialization` is there when it started an environment.
    """

    header: TraceHeader
    segment_id: str = field(default_factory=new_segment_id)
    invocation_id: str = field(default_factory=new_segment_id)
    initialization: Span | None = None

    def header_below(self) -> TraceHeader:
        """The header that the function gets: its own subsegments lie below `Invocation`."""
        return self.header.below(self.invocation_id)


def of_stage(
    stage: Stage, exchange: Exchange, header: TraceHeader, span: Span, calls: list[Call]
) -> Document:
    """The gateway's segment; `header` is what it sends on, with its own segment as the parent."""
    aws: Document = {
        "api_gateway": {
            "account_id": stage.account,
            "rest_api_id": stage.api_id,
            "stage": stage.name,
            "request_id": exchange.request_id,
        }
    }
    if exchange.rule:
        aws["xray"] = {"sampling_rule_name": exchange.rule}
    return {
        "id": header.parent,
        "trace_id": header.root,
        "name": stage.service_name,
        "origin": "AWS::ApiGateway::Stage",
        "resource_arn": stage.arn,
        **span.times(),
        "http": {
            "request": {
                "url": exchange.url,
                "method": exchange.method,
                "client_ip": exchange.client,
                "user_agent": exchange.user_agent,
                "x_forwarded_for": True,
            },
            "response": {"status": exchange.status, "content_length": exchange.size},
        },
        "aws": aws,
        "annotations": {"aws:api_id": stage.api_id, "aws:api_stage": stage.name},
        "metadata": {"default": {"request_id": exchange.request_id}},
        "subsegments": [_of_call(call, stage.region) for call in calls],
        **outcome(exchange.status),
    }


def _of_call(call: Call, region: str) -> Document:
    url = f"https://lambda.{region}.amazonaws.com/2015-03-31/functions/{call.function_arn}"
    return {
        "id": call.segment_id,
        "name": "Lambda",
        "namespace": "aws",
        **call.span.times(),
        "http": {
            "request": {"url": f"{url}/invocations", "method": "POST"},
            "response": {"status": 200},
        },
        "aws": {
            "operation": "Invoke",
            "region": region,
            "function_name": _name(call.function_arn),
            "resource_names": [_name(call.function_arn)],
        },
    }


def of_invocation(
    invocation: Invocation, function_arn: str, request_id: str, span: Span, *, failed: bool
) -> list[Document]:
    """Lambda's two segments: the service's, and the function's below it."""
    name = _name(function_arn)
    shared = {
        "trace_id": invocation.header.root,
        "name": name,
        "resource_arn": function_arn,
        "end_time": span.end,
        **({"fault": True} if failed else {}),
    }
    service: Document = {
        **shared,
        "id": invocation.segment_id,
        "origin": "AWS::Lambda",
        "start_time": span.start,
        "http": {"response": {"status": 200}},
        "aws": {"request_id": request_id, "resource_names": [name]},
    }
    if invocation.header.parent:
        service["parent_id"] = invocation.header.parent
    initialized = invocation.initialization
    began = initialized.end if initialized else span.start
    function: Document = {
        **shared,
        "id": new_segment_id(),
        "parent_id": invocation.segment_id,
        "origin": "AWS::Lambda::Function",
        "start_time": initialized.start if initialized else span.start,
        "aws": {"function_arn": function_arn, "resource_names": [name], "request_id": request_id},
        "subsegments": [
            *([_part("Initialization", new_segment_id(), initialized)] if initialized else []),
            _part("Invocation", invocation.invocation_id, Span(began, span.end)),
        ],
    }
    return [service, function]


def _name(function_arn: str) -> str:
    return function_arn.rpartition(":function:")[2].partition(":")[0]


def _part(name: str, segment_id: str, span: Span) -> Document:
    return {"id": segment_id, "name": name, **span.times()}


def outcome(status: int) -> Document:
    """A segment's flags for a status: error is 4xx, throttle is 429, fault is 5xx."""
    flags = {
        "error": 400 <= status < 500,
        "throttle": status == 429,
        "fault": status >= 500,
    }
    return {name: True for name, holds in flags.items() if holds}
