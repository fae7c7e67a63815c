"""The pages: which widget stands where, and what is in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from local.dashboard import bodies, charts, markdown
from local.dashboard.bodies import AlarmList, BodyError, Graph, LogQuery, Text, Widget
from local.dashboard.charts import Window
from local.dashboard.client import AlarmState, CloudWatch, Line
from local.settings import HOME_REGION

RANGES = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "3h": timedelta(hours=3),
    "6h": timedelta(hours=6),
}
DEFAULT_RANGE = "1h"
# CSS pixels of one grid unit on a wide screen, and what a widget's frame, title and legend take.
UNIT_WIDTH, UNIT_HEIGHT = 63, 54
FRAME_WIDTH, FRAME_HEIGHT = 40, 74
LEGEND_ROW, LEGEND_CHARACTERS = 20, 9
MINUTE = 60
STATE_WORDS = {"ALARM": "In alarm", "INSUFFICIENT_DATA": "No data", "OK": "OK"}


class NotFoundError(Exception):
    """There is no such page."""


@dataclass(frozen=True, slots=True)
class Legend:
    """A line's entry: its color, its name and its latest value."""

    color: str
    label: str
    latest: str


class Pages:
    """Renders from what CloudWatch answers at the moment."""

    def __init__(self, cloudwatch: CloudWatch) -> None:
        self._cloudwatch = cloudwatch
        self._templates = Environment(
            loader=PackageLoader("local.dashboard"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"ago": _ago, "number": charts.number}
        self._templates.globals |= {"ranges": list(RANGES), "state_words": STATE_WORDS}

    def alarms(self) -> str:
        """The page of all alarms."""
        return self._page("alarms.html", current="", chosen=DEFAULT_RANGE)

    def alarm_list(self) -> str:
        """Its changing part."""
        regions = self._regions()
        alarms = self._cloudwatch.alarms(regions)
        return self._render(
            "alarm_list.html",
            groups=(
                ("Somebody is called", [alarm for alarm in alarms if alarm.pages]),
                ("For information", [alarm for alarm in alarms if not alarm.pages]),
            ),
            changes=self._cloudwatch.changes(regions),
            now=datetime.now(UTC),
        )

    def dashboard(self, name: str, chosen: str) -> str:
        """A dashboard's page: its widgets' places, which are filled one by one."""
        if name not in self._cloudwatch.dashboards():
            raise NotFoundError
        try:
            widgets, problem = self._widgets(name), ""
        except BodyError as error:
            widgets, problem = (), str(error)
        return self._page(
            "dashboard.html", current=name, chosen=chosen, widgets=widgets, problem=problem
        )

    def widget(self, name: str, index: int, chosen: str) -> str:
        """What is in one widget. Whatever it can't show, it says why."""
        try:
            widget = self._widgets(name)[index]
        except IndexError as error:
            raise NotFoundError from error
        try:
            return self._content(widget, RANGES[chosen])
        except (ClientError, BotoCoreError, ValueError) as error:
            return self._render("problem.html", problem=str(error))

    def _content(self, widget: Widget, span: timedelta) -> str:
        match widget.content:
            case Text(text):
                return self._render("text.html", html=Markup(markdown.render(text)))  # noqa: S704 - escaped there
            case AlarmList(_, arns):
                held = {alarm.arn: alarm for alarm in self._alarms_of(arns)}
                found = [(arn.rpartition(":")[2], held.get(arn)) for arn in arns]
                return self._render("alarm_status.html", alarms=found)
            case LogQuery(_, query):
                return self._render("log_query.html", query=query)
            case Graph() as graph:
                return self._graph(graph, widget, span)

    def _alarms_of(self, arns: Iterable[str]) -> list[AlarmState]:
        return self._cloudwatch.alarms({bodies.region_of(arn) for arn in arns})

    def _graph(self, graph: Graph, widget: Widget, span: timedelta) -> str:
        rows = _rows(graph, span)
        start, end = _window(rows, span, datetime.now(UTC))
        lines = self._cloudwatch.lines(rows, start, end)
        legend = [
            Legend(charts.color(line, at), line.label, _latest(line))
            for at, line in enumerate(lines)
        ]
        if graph.view == "singleValue":
            return self._render("single_value.html", legend=legend)
        window = Window(start, end, *_picture(widget, legend))
        svg = Markup(charts.draw(graph, lines, window))  # noqa: S704 - matplotlib escapes
        empty = not any(line.values for line in lines)
        return self._render("graph.html", svg=svg, legend=legend, empty=empty)

    def _widgets(self, name: str) -> tuple[Widget, ...]:
        return bodies.read(self._cloudwatch.body(name), HOME_REGION)

    def _regions(self) -> list[str]:
        """The Regions that the dashboards look at, and the home Region."""
        found = {HOME_REGION}
        for name in self._cloudwatch.dashboards():
            try:
                found |= bodies.regions(self._widgets(name))
            except BodyError:
                continue
        return sorted(found)

    def _page(self, template: str, **variables: object) -> str:
        return self._render(template, dashboards=self._cloudwatch.dashboards(), **variables)

    def _render(self, template: str, **variables: object) -> str:
        return self._templates.get_template(template).render(**variables)


def _rows(graph: Graph, span: timedelta) -> list[bodies.Row]:
    """As the body says; with `setPeriodToTimeRange` one period is all that is shown."""
    if not graph.over_range:
        return list(graph.rows)
    return [bodies.with_period(row, int(span.total_seconds())) for row in graph.rows]


def _window(rows: list[bodies.Row], span: timedelta, now: datetime) -> tuple[datetime, datetime]:
    """The span until now, from a multiple of the longest period: so no point moves by itself."""
    step = max((row.period for row in rows), default=MINUTE)
    if step >= span.total_seconds():
        end = datetime.fromtimestamp(now.timestamp() // MINUTE * MINUTE, UTC)
        return end - span, end
    start = (now - span).timestamp() // step * step
    return datetime.fromtimestamp(start, UTC), now


def _picture(widget: Widget, legend: list[Legend]) -> tuple[int, int]:
    """Width and height that are left for the plot."""
    width = widget.place.width * UNIT_WIDTH - FRAME_WIDTH
    characters = sum(len(entry.label) + len(entry.latest) + 6 for entry in legend)
    rows = max(1, -(-characters * LEGEND_CHARACTERS // max(width, 1)))
    height = widget.place.height * UNIT_HEIGHT - FRAME_HEIGHT - (rows - 1) * LEGEND_ROW
    return width, max(height, 60)


def _latest(line: Line) -> str:
    return charts.number(line.values[-1]) if line.values else "-"


def _ago(then: datetime, now: datetime) -> str:
    minutes = int((now - then).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} days"
