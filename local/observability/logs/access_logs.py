"""Access logs: a stage's, in the format that was deployed, and the edge's, by its deliveries."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from urllib.parse import quote

from local.observability.metrics import cloudfront_metrics
from local.patches import api_gateway, logs
from local.records import EdgeRecord, GatewayRecord
from local.settings import HOME_REGION

NOTHING = "-"


_VARIABLE = re.compile(r"\$context\.([A-Za-z0-9_.]+)")


def of_stage(record: GatewayRecord) -> None:
    """Write the line that the stage's access log settings ask for."""
    stage = api_gateway.stage_of(record.scope, record.api_id, record.stage)
    settings = stage.get("accessLogSettings") or {}
    _, _, group = settings.get("destinationArn", "").partition(":log-group:")
    form = settings.get("format")
    if group and form:
        # The gateway spreads its lines over streams with names like this one.
        day = time.strftime("%Y%m%d", time.gmtime(record.end))
        stream = hashlib.md5(f"{record.api_id} {day}".encode(), usedforsecurity=False).hexdigest()
        line = rendered(form, record)
        logs.write_event(record.scope, group.removesuffix(":*"), stream, line, record.end)


def rendered(form: str, record: GatewayRecord) -> str:
    """An access log format with its variables filled in; "-" for one that has no value.

    Values are escaped as in a JSON text. AWS's pages don't say so, but a REST API's lines of 2024
    show it of a user agent with quotes: github.com/DataBiosphere/azul/issues/4348.
    """

    def value(found: re.Match[str]) -> str:
        name = found[1].rstrip(".")
        read = VARIABLES.get(name)
        content = read(record) if read else None
        return (NOTHING if content is None else _escaped(str(content))) + found[1][len(name) :]

    return _VARIABLE.sub(value, form)


def _escaped(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)[1:-1]


# docs.aws.amazon.com/apigateway/latest/developerguide/
#   api-gateway-variables-for-access-logging.html
VARIABLES: Mapping[str, Callable[[GatewayRecord], object]] = {
    "accountId": lambda record: record.scope[0],
    "apiId": lambda record: record.api_id,
    "authorizer.claims.sub": lambda record: _of(record.authorization, "sub"),
    "authorizer.error": lambda record: _of(record.authorization, "error"),
    "authorizer.latency": lambda record: _of(record.authorization, "latency"),
    "authorizer.status": lambda record: _of(record.authorization, "status"),
    "awsEndpointRequestId": lambda record: _of(record.integration, "request_id"),
    "domainName": lambda record: record.domain_name,
    "domainPrefix": lambda record: record.domain_name.partition(".")[0],
    "error.responseType": lambda record: record.response_type,
    "extendedRequestId": lambda record: record.extended_id,
    "httpMethod": lambda record: record.method,
    "identity.sourceIp": lambda record: record.source_ip,
    "integration.error": lambda record: _of(record.integration, "error"),
    "integration.integrationStatus": lambda record: _of(record.integration, "status"),
    "integration.latency": lambda record: _of(record.integration, "latency"),
    "integration.requestId": lambda record: _of(record.integration, "request_id"),
    "integration.status": lambda record: _of(record.integration, "function_status"),
    "integrationLatency": lambda record: _of(record.integration, "latency"),
    "integrationStatus": lambda record: _of(record.integration, "status"),
    "protocol": lambda record: record.protocol,
    "requestId": lambda record: record.request_id,
    "requestTimeEpoch": lambda record: int(record.start * 1000),
    "resourcePath": lambda record: record.resource,
    "responseLatency": lambda record: record.latency,
    "responseLength": lambda record: record.response_length,
    "stage": lambda record: record.stage,
    "status": lambda record: record.status,
    "waf.error": lambda _record: None,
    "waf.status": lambda record: record.waf_status,
    "xrayTraceId": lambda record: record.trace_root,
}


def _of(part: object, name: str) -> object:
    return None if part is None else getattr(part, name)


# Standard logging v2, whose default fields these are in their order
# (AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference).
DEFAULT_FIELDS = (
    *("date", "time", "x-edge-location", "sc-bytes", "c-ip", "cs-method", "cs(Host)"),
    *("cs-uri-stem", "sc-status", "cs(Referer)", "cs(User-Agent)", "cs-uri-query", "cs(Cookie)"),
    *("x-edge-result-type", "x-edge-request-id", "x-host-header", "cs-protocol", "cs-bytes"),
    *("time-taken", "x-forwarded-for", "ssl-protocol", "ssl-cipher"),
    *("x-edge-response-result-type", "cs-protocol-version", "fle-status"),
    *("fle-encrypted-fields", "c-port", "time-to-first-byte", "x-edge-detailed-result-type"),
    *("sc-content-type", "sc-content-len", "sc-range-start", "sc-range-end"),
)


def of_edge(record: EdgeRecord) -> None:
    """Write the line that each delivery of the distribution's access log asks for."""
    scope = (record.account, HOME_REGION)
    arn = cloudfront_metrics.arn(record.account, record.distribution)
    for group, fields in logs.access_log_deliveries(scope, arn):
        line = json.dumps(edge_line(record, fields or DEFAULT_FIELDS))
        stream = f"CloudFront_{record.distribution}"
        logs.write_event(scope, group, stream, line, record.end)


def edge_line(record: EdgeRecord, fields: tuple[str, ...] | list[str]) -> dict[str, str]:
    """The fields of one request; every value is text, and "-" where there is none."""
    line: dict[str, str] = {}
    for name in fields:
        read = FIELDS.get(name)
        content = read(record) if read else None
        line[name] = str(content) if content not in (None, "") else NOTHING
    return line


FIELDS: Mapping[str, Callable[[EdgeRecord], object]] = {
    "date": lambda record: time.strftime("%Y-%m-%d", time.gmtime(record.end)),
    "time": lambda record: time.strftime("%H:%M:%S", time.gmtime(record.end)),
    "timestamp": lambda record: int(record.end),
    "timestamp(ms)": lambda record: int(record.end * 1000),
    "DistributionId": lambda record: record.distribution,
    "x-edge-location": lambda record: record.headers.get("x-amz-cf-pop"),
    "sc-bytes": cloudfront_metrics.sent_bytes,
    "c-ip": lambda record: record.request.client,
    "cs-method": lambda record: record.request.method,
    "cs(Host)": lambda record: record.distribution_domain,
    "cs-uri-stem": lambda record: record.request.raw_path.partition("?")[0],
    "sc-status": lambda record: record.status,
    "cs(Referer)": lambda record: _encoded(record, "referer"),
    "cs(User-Agent)": lambda record: _encoded(record, "user-agent"),
    "cs-uri-query": lambda record: record.request.query,
    "x-edge-result-type": cloudfront_metrics.result_type,
    "x-edge-request-id": lambda record: record.request_id,
    "x-host-header": lambda record: record.request.name,
    "cs-protocol": lambda _record: "https",
    "cs-bytes": cloudfront_metrics.received_bytes,
    "time-taken": lambda record: f"{record.latency / 1000:.3f}",
    "x-forwarded-for": lambda record: record.request.headers.get("x-forwarded-for"),
    "x-edge-response-result-type": cloudfront_metrics.result_type,
    "cs-protocol-version": lambda record: record.request.protocol,
    "time-to-first-byte": lambda record: f"{record.latency / 1000:.3f}",
    "x-edge-detailed-result-type": cloudfront_metrics.detailed_result_type,
    "sc-content-type": lambda record: record.headers.get("content-type"),
    "sc-content-len": lambda record: record.response_length,
    "origin-fbl": lambda record: (
        f"{cloudfront_metrics.origin_latency(record) / 1000:.3f}" if record.origin else None
    ),
    "origin-lbl": lambda record: (
        f"{cloudfront_metrics.origin_latency(record) / 1000:.3f}" if record.origin else None
    ),
}


def _encoded(record: EdgeRecord, header: str) -> str:
    return quote(record.request.headers.get(header, ""), safe="!#$&'()*+,/:;=?@[]~")
