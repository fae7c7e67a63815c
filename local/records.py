"""What is known of one request once it has been answered: by a Region's gateway, or by the edge.

Every time is in seconds since the epoch; what AWS gives in milliseconds is a property that says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from local.http_messages import Headers, Request

# Account and Region.
Scope = tuple[str, str]


def milliseconds(start: float, end: float) -> int:
    """A span in whole milliseconds, as API Gateway and CloudFront give it."""
    return max(0, round((end - start) * 1000))


@dataclass(frozen=True, slots=True)
class Authorization:
    """An authorizer's answer, from when the gateway asked it until it answered.

    `status` is 200 or the status of the refusal, `error` the text that the caller gets; `sub` is
    the token's claim.
    """

    start: float
    end: float
    status: int
    error: str | None
    sub: str | None

    @property
    def latency(self) -> int:
        """Milliseconds."""
        return milliseconds(self.start, self.end)


@dataclass(frozen=True, slots=True)
class Integration:
    """A function's part: from when the gateway relayed the request until it had the answer.

    `status` is what Lambda's Invoke answered, `function_status` the function's own `statusCode`.
    `request_id` is the function's, and there is none where it didn't run: it was throttled, or
    there is no such function.
    """

    start: float
    end: float
    status: int
    function_status: int | None
    request_id: str | None
    error: str | None

    @property
    def latency(self) -> int:
        """Milliseconds, as in `IntegrationLatency`."""
        return milliseconds(self.start, self.end)

    @property
    def ran(self) -> bool:
        """Whether the function ran."""
        return self.request_id is not None


@dataclass(frozen=True, slots=True)
class GatewayRecord:
    """One request that a stage answered.

    `start` is when the whole request had been received, `end` when the answer was complete.
    `resource` is the template (`/v1/items/{id}`), None where no method is there to answer.
    `response_type` is that of the gateway's own error (`UNAUTHORIZED`), None for the function's
    answers. `waf_status` is what the web ACL made of it, None without one; `trace_root` the trace
    that the stage takes part in; `edge_request_id` CloudFront's, where it came that way;
    `response_length` the body's bytes.
    """

    scope: Scope
    api_id: str
    api_name: str
    stage: str
    domain_name: str
    protocol: str
    method: str
    resource: str | None
    status: int
    response_type: str | None
    response_length: int
    start: float
    end: float
    integration: Integration | None
    authorization: Authorization | None
    waf_status: int | None
    request_id: str
    extended_id: str
    trace_root: str | None
    edge_request_id: str | None
    source_ip: str

    @property
    def latency(self) -> int:
        """Milliseconds, as in `Latency`."""
        return milliseconds(self.start, self.end)


@dataclass(frozen=True, slots=True)
class OriginExchange:
    """The edge's last attempt at an origin: `end` is when it had the answer, or gave up.

    Exactly one of `status` and `failure` is set; a failure is named as in
    `x-edge-detailed-result-type`.
    """

    start: float
    end: float
    status: int | None
    failure: str | None


@dataclass(frozen=True, slots=True)
class EdgeRecord:
    """One request that a distribution answered, from the last byte of the one to the other's.

    `origin` is None for what the edge answered by itself. `request_id` is `x-amz-cf-id`, and
    `headers` are those of the answer.
    """

    account: str
    distribution: str
    distribution_domain: str
    request: Request
    request_id: str
    status: int
    headers: Headers
    response_length: int
    end: float
    origin: OriginExchange | None

    @property
    def latency(self) -> int:
        """Milliseconds from the request to the complete answer."""
        return milliseconds(self.request.received, self.end)
