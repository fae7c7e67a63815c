"""Patches of CloudWatch, and what it holds; what it computes is in `local.observability`."""

from __future__ import annotations

import functools
import json
import operator
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import botocore.session
from botocore.model import ListShape, ServiceModel, Shape, StructureShape
from ministack.core.responses import AccountScopedDict, request_scope
from ministack.services import cloudwatch

from local.patches.scope import Scope, here

Document = dict[str, Any]
Response = tuple[int, dict[str, Any], bytes]
Handler = Callable[..., Awaitable[Response]]
Point = dict[str, Any]
MetricKey = tuple[str, str, tuple[str, str, str]]  # account, Region, (namespace, name, dimensions)
AlarmKey = tuple[str, str, str]  # account, Region, name

TARGET_PREFIX = "GraniteServiceVersion20100801"
# CloudWatch keeps points of a minute for 15 days (CloudWatch-Concepts). Here a day is plenty:
# three times the longest window of an alarm, and what a page shows.
KEPT_SECONDS = 24 * 3600
EVICTION_SECONDS = 600
SAVED = (
    *("alarms", "composite_alarms", "composite_triggers", "alarm_history", "dashboards"),
    "resource_tags",
)
KEPT_FIELDS = ("Metrics",)
# What an alarm on several metrics has only inside them.
SINGLE_METRIC_FIELDS = (
    *("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Unit", "Dimensions"),
)


class RefusedError(Exception):
    """What CloudWatch refuses with a ValidationError; the message says why."""


@dataclass(frozen=True, slots=True)
class DataRequest:
    """What GetMetricData asks for; times in seconds since the epoch, None where unreadable."""

    queries: Sequence[Document]
    start: float | None
    end: float | None
    newest_first: bool


@dataclass(frozen=True, slots=True)
class DataResult:
    """One query's series: (seconds since the epoch, value), in the order of the request."""

    id: str
    label: str
    points: Sequence[tuple[float, float]]


def all_points() -> list[tuple[MetricKey, list[Point]]]:
    """Every metric of every account and Region, and the list that its points are added to."""
    return list(cloudwatch._metrics._data.items())


def points_of(
    namespace: str, name: str, dimensions: Mapping[str, str]
) -> tuple[MetricKey, list[Point]] | None:
    """A metric of the current scope, and the list that its points are added to."""
    key = _name(namespace, name, dimensions)
    points = cloudwatch._metrics.get(key)
    return None if points is None else ((*here(), key), points)


def add_point(scope: Scope, namespace: str, name: str, point: Point) -> None:
    """Add a point, whose `Dimensions` name the metric, to an account and Region."""
    with request_scope(*scope):
        cloudwatch._metric_bucket(_name(namespace, name, point["Dimensions"])).append(point)


def drop_old_points() -> None:
    """Drop the points that are too old, now and then."""
    cloudwatch._evict_old_metrics()


def _name(namespace: str, name: str, dimensions: Mapping[str, str]) -> tuple[str, str, str]:
    return namespace, name, cloudwatch._dims_key(dict(dimensions))


def summed(point: Point) -> tuple[float, float, float, float]:
    """A point's count, sum, lowest and highest value."""
    found: tuple[float, float, float, float] = cloudwatch._point_stats(point)
    return found


def all_alarms() -> list[tuple[AlarmKey, Document]]:
    """Every metric alarm of every account and Region, by name."""
    return sorted(cloudwatch._alarms._data.items(), key=operator.itemgetter(0))


def is_current(key: AlarmKey, alarm: Document) -> bool:
    """Whether an alarm is still there, and this."""
    return cloudwatch._alarms._data.get(key) is alarm


def tell_change(alarm: Document, before: str, data: Document) -> None:
    """Write an alarm's history, call its actions, and let composite alarms follow."""
    after, reason = alarm["StateValue"], alarm["StateReason"]
    cloudwatch._record_history(alarm["AlarmName"], before, after, reason, reason_data=data)
    cloudwatch._dispatch_alarm_actions(alarm, before, after, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def before_each_request(prepare: Callable[[], None]) -> None:
    """Call `prepare` before CloudWatch answers anything."""
    handle: Handler = cloudwatch.handle_request

    async def handle_request(*request: Any) -> Response:  # noqa: ANN401 - passed through
        prepare()
        return await handle(*request)

    cloudwatch.handle_request = handle_request


def alarms_by_the_clock() -> None:
    """Alarms are evaluated on every write, of any metric of that name, over one single window.

    CloudWatch evaluates them at intervals, M out of N periods, also when nothing is written:
    `local.observability.alarms.runner`.
    """
    cloudwatch._evaluate_alarm = lambda _alarm: None
    cloudwatch._evaluate_all_alarms = lambda: None


def check_alarms(check: Callable[[Document], None]) -> None:
    """PutMetricAlarm forgets `Metrics`, and reads nothing before it accepts it.

    It also answers `Statistic` for an alarm on a percentile, so that Terraform wants to change it.
    `check` raises RefusedError.
    """
    put = cloudwatch._put_metric_alarm

    def put_metric_alarm(
        params: Document, data: Document, is_cbor: bool, is_json: bool = False
    ) -> Response:
        try:
            check(data)
        except RefusedError as error:
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


def serve_metric_data(answer: Callable[[DataRequest], list[DataResult]]) -> None:
    """GetMetricData has no expressions, and answers oldest first whatever ScanBy says.

    `answer` raises RefusedError.
    """

    def get_metric_data(
        _params: Document, data: Document, is_cbor: bool, _is_json: bool = False
    ) -> Response:
        request = DataRequest(
            queries=data.get("MetricDataQueries") or (),
            start=cloudwatch._parse_ts(data.get("StartTime")),
            end=cloudwatch._parse_ts(data.get("EndTime")),
            newest_first=data.get("ScanBy") != "TimestampAscending",
        )
        try:
            found = [_result(each) for each in answer(request)]
        except RefusedError as error:
            return _refused(str(error), is_cbor)
        if is_cbor:
            found = [cloudwatch._cbor_metric_data_result(result) for result in found]
        respond = cloudwatch._cbor_ok if is_cbor else cloudwatch._json_ok
        response: Response = respond({"MetricDataResults": found})
        return response

    cloudwatch._get_metric_data = get_metric_data


def _result(result: DataResult) -> Document:
    return {
        "Id": result.id,
        "Label": result.label,
        "Timestamps": [cloudwatch._ts_iso(at) for at, _ in result.points],
        "Values": [value for _, value in result.points],
        "StatusCode": "Complete",
    }


def _refused(message: str, is_cbor: bool) -> Response:
    response: Response = cloudwatch._error(
        "ValidationError", message, 400, use_json=not is_cbor, use_cbor=is_cbor
    )
    return response


def old_points() -> None:
    """Every request copies every data point there is, to drop those of two weeks ago."""
    cloudwatch._evict_old_metrics = evictor()


def evictor(clock: Callable[[], float] = time.time) -> Callable[[], None]:
    """What drops points that are too old, at most every ten minutes.

    A list without any stays the list it is, so that it needn't be summed up again.
    """
    last = -float(EVICTION_SECONDS)

    def evict() -> None:
        nonlocal last
        now = clock()
        if now - last < EVICTION_SECONDS:
            return
        last = now
        for key, points in all_points():
            _drop_old(key, points, now - KEPT_SECONDS)

    return evict


def _drop_old(key: MetricKey, points: list[Point], cutoff: float) -> None:
    if all(point["Timestamp"] >= cutoff for point in points):
        return
    kept = [point for point in points if point["Timestamp"] >= cutoff]
    if kept:
        cloudwatch._metrics._data[key] = kept
    else:
        del cloudwatch._metrics._data[key]


def saved_without_copies() -> None:
    """To be saved, everything is first copied, on the event loop; nothing needs the copy.

    Data points are none of it: a run begins without any.
    """

    def get_state() -> Document:
        return {name: getattr(cloudwatch, f"_{name}") for name in SAVED}

    cloudwatch.get_state = get_state


def global_dashboards() -> None:
    """A dashboard is seen only from the Region that it was put from; on AWS from every one.

    Their ARNs have no Region (AmazonCloudWatch/latest/monitoring/CloudWatch_Dashboards).
    """
    cloudwatch._dashboards = AccountScopedDict()


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
    document: Document = json.loads(body or b"{}")
    content = f"<{action}Result>{_write(shape, document)}</{action}Result>" if shape else ""
    response: Response = (
        cloudwatch._error(document["__type"], document["message"], status)
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


PATCHES = (
    alarms_by_the_clock,
    old_points,
    saved_without_copies,
    global_dashboards,
    query_protocol,
)
