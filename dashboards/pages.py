"""The pages, and the JSON that they draw from."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dashboards import body, markdown, series
from dashboards.body import BodyError, Graph, Widget
from dashboards.cloudwatch import CloudWatch, latest, worst_first
from dashboards.problems import UNANSWERED, sentence
from dashboards.series import Result
from project.account import LOCAL, Account
from project.console import ToolchainError
from project.deployment import NotDeployedError

RANGES = {"1h": 3600, "3h": 3 * 3600, "12h": 12 * 3600, "1d": 24 * 3600}
DEFAULT_RANGE = "1h"
# Data comes once a minute, and an account pays for each metric that is asked for.
REFRESH_SECONDS, LOCAL_REFRESH_SECONDS = 60, 10
ASKED_AT_ONCE = 8
STATE_WORDS = {"ALARM": "In alarm", "INSUFFICIENT_DATA": "No data", "OK": "OK"}

Found = TypeVar("Found")


class NotFoundError(Exception):
    """There is no such page."""


class Pages:
    """Renders from what CloudWatch answers at the moment."""

    def __init__(self, account: Account, cloudwatch: CloudWatch) -> None:
        self._account = account
        self._cloudwatch = cloudwatch
        self._templates = Environment(
            loader=PackageLoader("dashboards"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"ago": _ago, "markdown": _markdown}
        self._templates.globals |= {
            "account": f"{account.project} {account.name}",
            "prefix": cloudwatch.prefix,
            "ranges": list(RANGES),
            "refresh": LOCAL_REFRESH_SECONDS if account.name == LOCAL else REFRESH_SECONDS,
            "state_words": STATE_WORDS,
        }

    def require_deployed(self) -> None:
        """Raise ToolchainError when CloudWatch can't be asked or has no dashboard of this name."""
        try:
            found = self._cloudwatch.dashboards()
        except UNANSWERED as error:
            raise ToolchainError(self.explain(error)) from error
        if found:
            return
        if self._account.name == LOCAL:
            raise NotDeployedError("No dashboard is deployed in the embedded AWS: run `make up`.")
        raise NotDeployedError(
            f"No dashboard of {self._account.name} is in the account of these credentials: sign in "
            f"to {self._account.account_id}, or deploy it (`terragrunt run --all apply` in "
            f"live/{self._account.name})."
        )

    def explain(self, error: BotoCoreError | ClientError) -> str:
        """Say what an error of CloudWatch means."""
        return sentence(error, self._account)

    def alarms(self) -> str:
        """The page of all alarms, of the Regions that answer."""
        alarms, problems = self._of_every_region(self._cloudwatch.alarms)
        changes, more = self._of_every_region(self._cloudwatch.changes)
        return self._page(
            "alarms.html",
            current="",
            selected=DEFAULT_RANGE,
            groups={
                "Paging": worst_first([one for one in alarms if one.pages]),
                "Not paging": worst_first([one for one in alarms if not one.pages]),
            },
            changes=latest(changes),
            problems=list(dict.fromkeys(problems + more)),
            now=datetime.now(UTC),
        )

    def dashboard(self, name: str, selected: str) -> str:
        """A dashboard's page: its texts, and the places of its graphs."""
        text = self._body(name)
        widgets, problems = _read(text)
        return self._page(
            "dashboard.html",
            current=name,
            selected=selected,
            problems=problems,
            widgets=widgets,
            revision=_revision(text),
        )

    def data(self, name: str, selected: str) -> dict[str, Any]:
        """The JSON of a dashboard's graphs, by their place among the widgets."""
        text = self._body(name)
        widgets, _ = _read(text)
        contents = ((at, widget.content) for at, widget in enumerate(widgets))
        graphs = {at: content for at, content in contents if isinstance(content, Graph)}
        draw = partial(self._graph, span=RANGES[selected], now=time.time())
        with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
            documents = dict(zip(graphs, pool.map(draw, graphs.values()), strict=True))
        return {"revision": _revision(text), "graphs": documents}

    def _graph(self, graph: Graph, span: int, now: float) -> dict[str, Any]:
        """A graph's data; where CloudWatch doesn't answer, what there is and why."""
        shown = series.window(span, graph.period, now)
        results: list[Result] = []
        problems: list[str] = []
        for region, asked in series.queries(graph).items():
            try:
                results += self._cloudwatch.results(region, asked, shown)
            except UNANSWERED as error:
                problems.append(f"{region}: {self.explain(error)}")
        problems += series.problems(results)
        return {**series.document(graph, shown, results), "problems": problems}

    def _of_every_region(self, ask: Callable[[str], list[Found]]) -> tuple[list[Found], list[str]]:
        """What the Regions answer, and why some didn't."""
        found: list[Found] = []
        problems: list[str] = []
        for region in self._cloudwatch.regions:
            try:
                found += ask(region)
            except UNANSWERED as error:
                problems.append(f"{region}: {self.explain(error)}")
        return found, problems

    def _body(self, name: str) -> str:
        if name not in self._cloudwatch.dashboards():
            raise NotFoundError
        return self._cloudwatch.body(name)

    def _page(self, template: str, **variables: object) -> str:
        dashboards = self._cloudwatch.dashboards()
        return self._templates.get_template(template).render(dashboards=dashboards, **variables)


def _read(text: str) -> tuple[tuple[Widget, ...], list[str]]:
    """A body's widgets, and why there are none where it can't be read."""
    try:
        return body.read(text), []
    except BodyError as error:
        return (), [str(error)]


def _revision(text: str) -> str:
    """What tells a page that its dashboard was changed meanwhile."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _markdown(text: str) -> Markup:
    return Markup(markdown.render(text))  # noqa: S704 - escaped there


def _ago(then: datetime, now: datetime) -> str:
    minutes = int((now - then).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} days"
