"""Log lines by the saved queries, so that what is found here is found in the console as well."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from project.console import ToolchainError
from tracing.identifiers import Line

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

LOOK_AGAIN_SECONDS = 0.5
PATIENCE_SECONDS = 120.0
UNFINISHED = frozenset({"Scheduled", "Running", "Unknown"})
# What the queries have where an id belongs.
PLACES = {'"ID"': '"{}"', "/ID/": "/{}/"}


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """A saved query of one Region, the groups that it asks, and the layer of each."""

    client: CloudWatchLogsClient
    region: str
    name: str
    text: str
    layers: Mapping[str, str]

    def lines(self, identifier: str, minutes: int) -> list[Line]:
        """Ask for the last minutes' lines with an id. Raises ToolchainError when none come."""
        text = self.text
        for place, filled in PLACES.items():
            text = text.replace(place, filled.format(identifier))
        now = int(time.time())
        started = self.client.start_query(
            logGroupNames=list(self.layers),
            startTime=now - 60 * minutes,
            endTime=now + 60,
            queryString=text,
        )
        return [self._line(row) for row in self._rows(started["queryId"])]

    def _rows(self, query_id: str) -> list[dict[str, str]]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (answer := self.client.get_query_results(queryId=query_id))["status"] in UNFINISHED:
            if time.monotonic() > deadline:
                raise ToolchainError(f"The logs of {self.region} don't answer: try again later.")
            time.sleep(LOOK_AGAIN_SECONDS)
        if answer["status"] != "Complete":
            raise ToolchainError(f"The query in {self.region} ended as {answer['status']}.")
        return [
            {cell.get("field", ""): cell.get("value", "") for cell in row}
            for row in answer["results"]
        ]

    def _line(self, row: Mapping[str, str]) -> Line:
        # @log is "<account>:<group>".
        group = row.get("@log", "").rpartition(":")[2]
        layer = self.layers.get(group) or next(iter(self.layers.values()))
        # Where it is kept is not what it says.
        fields = {name: value for name, value in row.items() if name != "@ptr"}
        return Line(layer, self.region, row.get("@timestamp", ""), fields)


def saved_query(client: CloudWatchLogsClient, region: str, name: str) -> SavedQuery:
    """Find a saved query. Raises ToolchainError when it isn't deployed."""
    found = client.describe_query_definitions(queryDefinitionNamePrefix=name)["queryDefinitions"]
    for one in found:
        if one.get("name") == name:
            groups = one.get("logGroupNames", [])
            layers = {group: _layer(group) for group in groups}
            return SavedQuery(client, region, name, one["queryString"], layers)
    raise ToolchainError(f"There is no saved query {name!r} in {region}: is all of it deployed?")


def _layer(group: str) -> str:
    if group.startswith("/aws/lambda/"):
        return "function"
    return "gateway" if group.startswith("/aws/apigateway/") else "edge"
