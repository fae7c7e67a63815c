"""AWS/CloudFront, in us-east-1, and what the edge's access log says of a request.

Pages are those of docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/<page>.html: metrics
are in programming-cloudwatch-metrics, fields of the log in standard-logs-reference.
"""

from __future__ import annotations

from collections.abc import Callable
from http.client import responses

from local.observability.metrics.recorder import Dimensions, Recorder, Sample
from local.patches import cloudfront
from local.records import EdgeRecord, milliseconds
from local.settings import HOME_REGION

NAMESPACE = "AWS/CloudFront"
DOWNLOADS, UPLOADS = ("GET", "HEAD", "OPTIONS"), ("POST", "PUT")
# Statuses that have a metric of their own, once additional metrics are turned on.
COUNTED_STATUSES = (401, 403, 404, 502, 503, 504)


def arn(account: str, distribution: str) -> str:
    """A distribution's ARN."""
    return f"arn:aws:cloudfront::{account}:distribution/{distribution}"


def metrics_into(recorder: Recorder) -> Callable[[EdgeRecord], None]:
    """A listener that records AWS/CloudFront."""

    def listen(record: EdgeRecord) -> None:
        dimensions: Dimensions = (
            ("DistributionId", record.distribution),
            ("Region", "Global"),
        )
        samples = _samples(record)
        if cloudfront.has_additional_metrics(record.distribution):
            samples += _additional(record)
        recorder.put((record.account, HOME_REGION), NAMESPACE, dimensions, samples, record.end)

    return listen


def _samples(record: EdgeRecord) -> list[Sample]:
    """Each rate is 100 or 0 for one request, so that the average is the rate in percent."""
    method = record.request.method
    return [
        Sample("Requests", 1, "None"),
        Sample("BytesDownloaded", sent_bytes(record) if method in DOWNLOADS else 0, "None"),
        Sample("BytesUploaded", received_bytes(record) if method in UPLOADS else 0, "None"),
        _rate("4xxErrorRate", holds=400 <= record.status < 500),
        _rate("5xxErrorRate", holds=record.status >= 500),
        _rate("TotalErrorRate", holds=record.status >= 400),
    ]


def _additional(record: EdgeRecord) -> list[Sample]:
    rates = [
        _rate(f"{status}ErrorRate", holds=record.status == status) for status in COUNTED_STATUSES
    ]
    if record.origin:
        rates.append(Sample("OriginLatency", origin_latency(record), "Milliseconds"))
    return [_rate("CacheHitRate", holds=False), *rates]


def _rate(name: str, *, holds: bool) -> Sample:
    return Sample(name, 100.0 * holds, "Percent")


def origin_latency(record: EdgeRecord) -> int:
    """Milliseconds from the request to the origin's answer, which the edge then passes on."""
    assert record.origin
    return milliseconds(record.request.received, record.origin.end)


def sent_bytes(record: EdgeRecord) -> int:
    """Status line, headers and body of the answer, as HTTP/1.1 would send them."""
    # An origin may answer with a status that no standard names.
    phrase = responses.get(record.status, "")
    return (
        len(f"HTTP/1.1 {record.status} {phrase}\r\n")
        + _size(record.headers)
        + (record.response_length)
    )


def received_bytes(record: EdgeRecord) -> int:
    """Request line, headers and body, as HTTP/1.1 would have sent them."""
    request = record.request
    line = f"{request.method} {request.raw_path} HTTP/1.1\r\n"
    return len(line) + len(request.query) + _size(request.headers) + len(request.body)


def _size(headers: dict[str, str]) -> int:
    return sum(len(name) + len(str(value)) + 4 for name, value in headers.items()) + 2


def result_type(record: EdgeRecord) -> str:
    """Nothing is cached here: what is no error came from the origin."""
    if record.status >= 400:
        return "Error"
    return "Miss" if record.origin else "FunctionGeneratedResponse"


def detailed_result_type(record: EdgeRecord) -> str:
    """Why it is an error, where it is the origin's."""
    if record.origin and record.origin.failure:
        return record.origin.failure
    if record.origin and record.status >= 400:
        return "OriginError"
    return result_type(record)
