"""Mends of CloudWatch; what it computes is in `local.observability`."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import botocore.session
from botocore.model import ListShape, ServiceModel, Shape, StructureShape
from ministack.core.responses import AccountScopedDict
from ministack.services import cloudwatch

from local.observability.alarms import evaluation as alarms
from local.observability.metrics import queries, store
from local.observability.metrics.metric_math import Grid, Series
from local.observability.metrics.queries import Query, QueryError

Document = dict[str, Any]
Response = tuple[int, dict[str, Any], bytes]
Handler = Callable[..., Awaitable[Response]]

TARGET_PREFIX = "GraniteServiceVersion20100801"
# GetMetricData, "Limits": no request may ask for more.
MOST_DATA_POINTS = 100_800
SAVED = (
    *("alarms", "composite_alarms", "composite_triggers", "alarm_history", "dashboards"),
    "resource_tags",
)
KEPT_FIELDS = ("Metrics",)
# What an alarm on several metrics has only inside them.
SINGLE_METRIC_FIELDS = (
    *("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Unit", "Dimensions"),
)


# -- alarms ----------------------------------------------------------------------------


def alarms_by_the_clock() -> None:
    """Alarms are evaluated on every write, of any metric of that name, over one single window.

    CloudWatch evaluates them at intervals, M out of N periods, also when nothing is written:
    `local.observability.alarms.runner`.
    """
    cloudwatch._evaluate_alarm = lambda _alarm: None
    cloudwatch._evaluate_all_alarms = lambda: None


def metric_alarms() -> None:
    """PutMetricAlarm forgets `Metrics`, and reads nothing before it accepts it.

    It also answers `Statistic` for an alarm on a percentile, so that Terraform wants to change it.
    """
    put = cloudwatch._put_metric_alarm

    def put_metric_alarm(
        params: Document, data: Document, is_cbor: bool, is_json: bool = False
    ) -> Response:
        try:
            alarms.read(data)
        except QueryError as error:
            return _refused(str(error), is_cbor)
        answer: Response = put(params, data, is_cbor, is_json)
        if answer[0] == 200:
            _complete(cloudwatch._alarms[data["AlarmName"]], data)
        return answer

    cloudwatch._put_metric_alarm = put_metric_alarm


def _complete(alarm: Document, data: Document) -> None:
    alarm.update({name: data[name] for name in KEPT_FIELDS if data.get(name)})
    left_out = SINGLE_METRIC_FIELDS if data.get("Metrics") else ()
    for name in left_out or (("Statistic",) if data.get("ExtendedStatistic") else ()):
        alarm.pop(name, None)


# -- metric data -----------------------------------------------------------------------


def metric_data() -> None:
    """GetMetricData has no expressions, and answers oldest first whatever ScanBy says."""

    def get_metric_data(
        _params: Document, data: Document, is_cbor: bool, _is_json: bool = False
    ) -> Response:
        try:
            wanted = queries.read(data.get("MetricDataQueries") or ())
            series = queries.results(wanted, _grids(data), store.shared.fetch)
        except QueryError as error:
            return _refused(str(error), is_cbor)
        newest_first = data.get("ScanBy") != "TimestampAscending"
        found = [_result(q, series[q.id], newest_first) for q in wanted if q.returned]
        if is_cbor:
            found = [cloudwatch._cbor_metric_data_result(result) for result in found]
        answer = cloudwatch._cbor_ok if is_cbor else cloudwatch._json_ok
        response: Response = answer({"MetricDataResults": found})
        return response

    cloudwatch._get_metric_data = get_metric_data


def _grids(data: Document) -> Callable[[int], Grid]:
    """The periods between StartTime and EndTime.

    They begin with StartTime, rounded down to the minute, or for a period below a minute to a
    multiple of it (GetMetricData, StartTime).
    """
    start, end = (cloudwatch._parse_ts(data.get(name)) for name in ("StartTime", "EndTime"))
    if start is None or end is None or start >= end:
        raise QueryError("The parameter StartTime must be less than the parameter EndTime.")

    def grid(period: int) -> Grid:
        step = min(period, 60)
        times = range(int(start // step) * step, math.ceil(end), period)
        if len(times) > MOST_DATA_POINTS:
            raise QueryError(f"The request asks for more than {MOST_DATA_POINTS} data points.")
        return Grid(tuple(times), period)

    return grid


def _result(query: Query, series: Series, newest_first: bool) -> Document:
    times = sorted(series, reverse=newest_first)
    return {
        "Id": query.id,
        "Label": query.label,
        "Timestamps": [cloudwatch._ts_iso(at) for at in times],
        "Values": [float(series[at]) for at in times],
        "StatusCode": "Complete",
    }


def _refused(message: str, is_cbor: bool) -> Response:
    response: Response = cloudwatch._error(
        "ValidationError", message, 400, use_json=not is_cbor, use_cbor=is_cbor
    )
    return response


def old_points() -> None:
    """Every request copies every data point there is, to drop those of two weeks ago."""
    cloudwatch._evict_old_metrics = store.tidy()


def saved_without_copies() -> None:
    """To be saved, everything is first copied, on the event loop; nothing needs the copy.

    Data points are none of it: a run begins without any.
    """

    def get_state() -> Document:
        return {name: getattr(cloudwatch, f"_{name}") for name in SAVED}

    cloudwatch.get_state = get_state


# -- dashboards ------------------------------------------------------------------------


def global_dashboards() -> None:
    """A dashboard is seen only from the Region that it was put from; on AWS from every one.

    Their ARNs have no Region (AmazonCloudWatch/latest/monitoring/CloudWatch_Dashboards).
    """
    cloudwatch._dashboards = AccountScopedDict()


# -- the query protocol ----------------------------------------------------------------


def query_protocol() -> None:
    """What Terraform speaks is understood and answered in part: no Metrics, no actions, no tags.

    The request is made into the JSON that ministack reads whole, and its answer back into XML,
    both by the service's own model.
    """
    original: Handler = cloudwatch.handle_request

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: Document
    ) -> Response:
        form = dict(parse_qsl(body.decode(), keep_blank_values=True)) if _is_form(headers) else {}
        action = form.pop("Action", "")
        model = _model()
        if action not in model.operation_names:
            return await original(method, path, headers, body, query)
        operation = model.operation_model(action)
        data = _read(operation.input_shape, _tree(form)) if operation.input_shape else {}
        as_json = {
            "content-type": "application/x-amz-json-1.0",
            "x-amz-target": f"{TARGET_PREFIX}.{action}",
        }
        answer = await original(method, path, as_json, json.dumps(data).encode(), {})
        return _xml_answer(action, operation.output_shape, answer)

    cloudwatch.handle_request = handle_request


CONVERSIONS: dict[str, Callable[[str], object]] = {
    "integer": int,
    "double": float,
    "boolean": lambda text: text == "true",
    "list": lambda _empty: [],
}


def _is_form(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


@functools.cache
def _model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("cloudwatch")


def _tree(form: Mapping[str, str]) -> Document:
    """`{"A.member.1.B": "c"}` as nested dicts."""
    tree: Document = {}
    for name, text in form.items():
        *parents, leaf = name.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = text
    return tree


def _read(shape: Shape, value: str | Document) -> object:
    """A value of the form, typed by its shape."""
    if isinstance(value, str):
        convert = CONVERSIONS.get(shape.type_name)
        # An empty list comes as "Name=".
        return convert(value) if convert else value
    if isinstance(shape, ListShape):
        members = value.get("member", {})
        return [_read(shape.member, members[number]) for number in sorted(members, key=int)]
    assert isinstance(shape, StructureShape)
    return {n: _read(member, value[n]) for n, member in shape.members.items() if n in value}


def _xml_answer(action: str, shape: Shape | None, answer: Response) -> Response:
    status, _, body = answer
    said: Document = json.loads(body or b"{}")
    content = f"<{action}Result>{_write(shape, said)}</{action}Result>" if shape else ""
    response: Response = (
        cloudwatch._error(said["__type"], said["message"], status)
        if status >= 400
        else cloudwatch._xml(status, f"{action}Response", content)
    )
    return response


def _write(shape: Shape, value: object) -> str:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        present = ((n, m) for n, m in shape.members.items() if value.get(n) is not None)
        return "".join(f"<{n}>{_write(member, value[n])}</{n}>" for n, member in present)
    if isinstance(shape, ListShape) and isinstance(value, list):
        return "".join(f"<member>{_write(shape.member, item)}</member>" for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if shape.type_name == "timestamp" and isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return escape(str(value))


MENDS = (
    alarms_by_the_clock,
    metric_alarms,
    metric_data,
    old_points,
    saved_without_copies,
    global_dashboards,
    query_protocol,
)
