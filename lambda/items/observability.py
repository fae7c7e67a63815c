"""The one place that owns logger, metrics and tracer.

No token, header, body or item ever reaches it: an account is hashed, a path is a route's template.
"""

from __future__ import annotations

import hashlib
import os
import traceback
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit, single_metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.tracing import Tracer

    from items.settings import FunctionSettings

    Handler = Callable[[dict[str, Any], object], dict[str, Any]]


def _tracing() -> bool:
    """Tell whether there is anyone to trace for."""
    disabled = os.environ.get("POWERTOOLS_TRACE_DISABLED", "").lower() in {"1", "true", "yes"}
    return "LAMBDA_TASK_ROOT" in os.environ and not disabled


_TRACING = _tracing()


def _sampled() -> bool:
    """Tell whether X-Ray wants this request; most requests are spared the work."""
    return _TRACING and "Sampled=1" in os.environ.get("_X_AMZN_TRACE_ID", "")


@cache
def _tracer() -> Tracer:
    """Make the tracer, at the first request that is sampled: its SDK takes long to import.

    It patches a class of botocore's, and so the clients that are there already.
    """
    from aws_lambda_powertools.tracing import Tracer  # noqa: PLC0415 - as above

    return Tracer(patch_modules=["botocore"])


def traced(handler: Handler) -> Handler:
    """Trace a handler and its DynamoDB calls; what it answers or raises is never recorded."""

    @cache
    def traced_handler() -> Handler:
        return _tracer().capture_lambda_handler(
            handler, capture_response=False, capture_error=False
        )

    def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
        return (traced_handler() if _sampled() else handler)(event, context)

    return handle


class Observer:
    """Logs, metrics and annotations of one request at a time."""

    def __init__(self, settings: FunctionSettings) -> None:
        self.logger = Logger(service=settings.service, use_rfc3339=True, utc=True)
        self._metrics = Metrics(namespace=settings.namespace, service=settings.service)
        self._metrics.set_default_dimensions(region=settings.region)
        self._region = settings.region
        self._namespace = settings.namespace
        self._cold_start = True
        self._counted = False
        self._refused = False

    def begin(
        self,
        *,
        request_id: str,
        extended_request_id: str,
        function_request_id: str,
        edge_request_id: str,
    ) -> None:
        """Name the request in every line that follows, until end."""
        self.logger.append_keys(
            request_id=request_id,
            extended_request_id=extended_request_id,
            function_request_id=function_request_id,
            edge_request_id=edge_request_id,
            cold_start=self._cold_start,
        )
        self._annotate("edge_request_id", edge_request_id)
        # Powertools' own ColdStart is true on the first request that X-Ray picks, which may be
        # hours after the start.
        self._annotate("cold_start", self._cold_start)

    def caller(self, sub: str) -> None:
        """Name the caller by a digest of the account, so that one user's requests can be followed.

        The gateway's access log has the account itself.
        """
        digest = hashlib.sha256(sub.encode()).hexdigest()[:16]
        self.logger.append_keys(owner_hash=digest)
        self._annotate("owner_hash", digest)

    def count(self, metric: str) -> None:
        """Count one of something."""
        self._metrics.add_metric(name=metric, unit=MetricUnit.Count, value=1)
        self._counted = True

    def fault(self, error: Exception, where: str) -> None:
        """Log a fault of ours: its kind and where it arose; its message could hold content."""
        self.logger.error(
            "fault",
            extra={
                "route": where,
                "exception_name": type(error).__name__,
                "stack": traceback.format_tb(error.__traceback__),
            },
        )

    def unavailable(self, reason: str) -> None:
        """Log that the table can't be used."""
        self.logger.warning("table unavailable", extra={"reason": reason})

    def busy(self, reason: str) -> None:
        """Log that a quota of the table's or the account's is used up: no fault of the Region's."""
        self.logger.warning("table busy", extra={"reason": reason})

    def refused(self, writer: str | None) -> None:
        """Log that a write was refused as writer alone may write, None as nobody may."""
        self.logger.warning("write refused", extra={"writer": writer or "nobody"})
        self._refused = True

    def end(self, *, method: str, route: str, status: int, milliseconds: float) -> None:
        """Write the request's line, send what was counted, and forget the request.

        A health check writes no line, as a dozen checkers ask every few seconds: what is wrong
        with the table has been logged on the way.
        """
        self._annotate("route", route)
        self._annotate("outcome", f"{status // 100}xx")
        if not route.startswith("/health"):
            self.logger.info(
                "request",
                extra={
                    "method": method,
                    "route": route,
                    "status": status,
                    "duration_ms": round(milliseconds, 1),
                },
            )
        if status >= 500 and not self._refused:
            self._server_error()
        if self._counted:
            self._metrics.flush_metrics()
        self._counted = False
        self._refused = False
        self._cold_start = False
        self.logger.remove_keys(
            [
                "request_id",
                "extended_request_id",
                "function_request_id",
                "edge_request_id",
                "cold_start",
                "owner_hash",
            ]
        )

    def _server_error(self) -> None:
        """Count an answer that is this version's fault, or its Region's.

        To Lambda such an answer is a success: its own metric Errors counts what the function
        raises. By version, a release is told from the version that it replaces; Powertools adds
        the service, for both functions have a version 1.
        """
        with single_metric(
            name="ServerErrors",
            unit=MetricUnit.Count,
            value=1,
            namespace=self._namespace,
            default_dimensions={
                "region": self._region,
                "version": os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            },
        ):
            pass

    def _annotate(self, key: str, value: str | bool) -> None:
        if value != "" and _sampled():
            _tracer().put_annotation(key, value)
