"""Logs Insights on the emulator: what a query asks for, on lines of logs."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import cloudwatch_logs as logs

from local.observability.logs.insights_evaluation import Row, answer
from local.observability.logs.insights_language import MalformedQueryError, parse
from local.observability.service import as_a_query
from local.patches import logs as patches
from tests.support.waiting import eventually

MODULES = Path(__file__).parents[2] / "modules"
GROUP, REGION, ACCOUNT = "/aws/lambda/f", "us-east-1", "111122223333"


def event(at: int, message: object) -> Row:
    text = message if isinstance(message, str) else json.dumps(message)
    return {"@timestamp": f"2026-11-26 13:20:0{at}.000", "@message": text, "@ptr": f"p{at}"}


EVENTS = [
    event(1, {"status": "502", "route": "/v1/items", "id": "a-1", "wait": 30, "cold": True}),
    event(2, {"status": "201", "route": "/v1/items/{id}", "id": "b", "wait": 9}),
    event(3, {"status": 404, "route": "/health", "error": {"type": "NotFound"}, "tags": ["x"]}),
    event(4, "START RequestId: a-1"),
]


def asked(query: str) -> list[Row]:
    return [
        {name: value for name, value in row.items() if name != "@ptr"}
        for row in answer(parse(query), EVENTS).rows
    ]


def numbers(condition: str) -> list[int]:
    """Which events a filter lets through."""
    rows = answer(parse(f"filter {condition}"), EVENTS).rows
    return [int(row["@ptr"][1:]) for row in rows]


@pytest.mark.parametrize(
    ("condition", "through"),
    [
        ('id = "a-1"', [1]),
        ("id != 'a-1'", [2]),
        ("status >= 400", [1, 3]),
        ("status < 400.5", [2]),
        ("wait > 9", [1]),
        ("status = 404", [3]),
        ('status = "404.0"', [3]),
        ("cold = 'true'", [1]),
        ("error.type = 'NotFound'", [3]),
        ("tags.0 = 'x'", [3]),
        (r"route like /^\/v1.*\{id\}$/", [2]),
        ("route not like /health/", [1, 2, 4]),
        ("status >= 400 and route not like /health/", [1]),
        ("id = 'b' or status = 404 and wait > 1", [2]),
        ("`id` = 'b'", [2]),
        ("nothing = 'b' or nothing != 'b' or nothing < 1", []),
        ("id < 3", []),
        ("nothing like /^/", []),
        ("@message like /START/", [4]),
    ],
)
def test_a_filter_lets_through_what_it_says(condition: str, through: list[int]) -> None:
    assert numbers(condition) == through


def test_rows_have_the_fields_that_are_asked_for_and_that_are_there() -> None:
    assert asked("fields id, wait | fields status | filter wait > 1") == [
        {"id": "a-1", "wait": "30", "status": "502"},
        {"id": "b", "wait": "9", "status": "201"},
    ]
    assert asked("fields id | display `wait` | limit 1") == [{"wait": "30"}]
    assert asked("filter id = 'b'")[0].keys() == {"@timestamp", "@message"}


def test_texts_are_ordered_as_aws_documents_it() -> None:
    # The example of CWL_QuerySyntax-Sort.
    ordered = [
        *("!", "#", "*%04", "0#", "5A", "111A", "2345_", "@", "@_", "A", "A9876fghj", "a12345hfh"),
        *("0", "01", "1", "2", "3"),
    ]
    events = [event(1, {"x": x}) for x in sorted(ordered)]

    assert [row["x"] for row in answer(parse("fields x | sort x"), events).rows] == ordered
    reverse = answer(parse("fields x | sort x desc"), events).rows
    assert [row["x"] for row in reverse] == ordered[::-1]


def test_a_hash_is_no_number() -> None:
    events = [event(1, {"x": "12e9999"}), event(2, {"x": "34e9999"})]

    (row,) = answer(parse("fields x | filter x = '12e9999'"), events).rows
    assert row["x"] == "12e9999"


def test_a_small_number_is_one_still() -> None:
    rows = answer(parse("fields x | filter x > 0 and x < 1"), [event(1, {"x": 0.00001})]).rows

    assert [row["x"] for row in rows] == ["0.00001"]


def test_numbers_are_ordered_as_numbers_after_all_texts() -> None:
    assert [row.get("wait") for row in asked("fields wait | sort wait desc")] == [
        *("30", "9"), None, None,
    ]  # fmt: skip
    assert [row["status"] for row in asked("fields status | sort status asc | limit 4")[1:]] == [
        *("201", "404", "502"),
    ]


def test_groups_are_counted() -> None:
    query = """
      # by class
      filter status > 0
      | stats count(*) as requests by cold
      | sort requests desc
    """
    assert asked(query) == [{"requests": "2"}, {"cold": "true", "requests": "1"}]


def test_what_a_filter_of_groups_leaves_is_no_count_of_events() -> None:
    found = answer(parse("stats count(*) as n by route | filter route = '/health'"), EVENTS)

    assert len(found.rows) == 1
    assert found.matched == len(EVENTS)


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("filter id ~ 'a'", "~"),
        ("filter id = ", "the end"),
        ("parse @message '*' as x", "parse"),
        ("stats pct(wait, 99) by id", "pct"),
        ("filter id = 'a' limit 3", "limit"),
        ("filter id like /(/", "no pattern"),
        ("sort", "the end"),
        ("limit many", "many"),
        ("limit 1.5", "1.5"),
        ("limit -1", "-1"),
        ("limit 0", "0"),
        ("limit 100001", "100001"),
        ("filter id", "the end"),
        ("filter id in ['a']", "in"),
        ("filter ispresent(id)", "("),
        ("filter not id = 'a'", "id"),
        ("filter (id = 'a')", "("),
        ("filter id = other", "other"),
        ("filter id like 'a'", "'a'"),
        ("stats count(id) as n by id", "id"),
        ("stats avg(wait) as n by id", "avg"),
        ("stats count(*) as n", "the end"),
        ("fields id as name", "as"),
        ("fields id |", "the end"),
        ("display id as x", "as"),
        ("fields wait / 1000 as seconds", "/"),
        ("", "the end"),
    ],
)
def test_what_is_not_read_is_refused_by_name(query: str, word: str) -> None:
    with pytest.raises(MalformedQueryError, match=re.escape(word)):
        parse(query)


@pytest.mark.parametrize("module", ["api", "edge"])
def test_every_saved_query_is_read(module: str) -> None:
    text = (MODULES / module / "queries.tf").read_text()
    queries = re.findall(r"<<-QUERY\n(.*?)\n\s*QUERY", text, re.DOTALL)

    assert queries
    assert all(parse(query) for query in queries)


def started(query: str) -> tuple[int, dict[str, Any]]:
    """Ask ministack for the lines of one group."""
    now = int(time.time())
    events = [{"timestamp": now * 1000, "message": one["@message"]} for one in EVENTS]
    group: dict[str, Any] = {"streams": {"s": {"events": events}}}
    with request_scope(ACCOUNT, REGION):
        logs._log_groups[GROUP] = group
        status, _, body = logs._start_query(
            {"logGroupName": GROUP, "startTime": 0, "endTime": now + 1, "queryString": query}
        )
        document: dict[str, Any] = json.loads(body)
        if status == 200:
            document = eventually(
                lambda: json.loads(logs._get_query_results(document)[2]),
                lambda seen: seen["status"] != "Running",
                within=10,
            )
        del logs._log_groups[GROUP]
    return status, document


def test_ministack_still_needs_whole_queries() -> None:
    _, document = started("filter id = 'b' | fields id")

    assert len(document["results"]) == len(EVENTS)


def test_a_query_is_answered_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_start_query", logs._start_query)
    patches.serve_queries(as_a_query)

    _, document = started("fields id, @log | filter id = 'b'")

    (row,) = ({cell["field"]: cell["value"] for cell in row} for row in document["results"])
    assert row.pop("@ptr")
    assert row == {"id": "b", "@log": f"{ACCOUNT}:{GROUP}"}
    assert document["statistics"]["recordsMatched"] == 1
    assert document["status"] == "Complete"


def test_a_stream_that_opens_meanwhile_does_not_fail_a_query(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    collect = logs._collect_query_records
    opened: list[bool] = []

    def opening(groups: list[str], start: int, end: int) -> Any:
        if end and not opened:
            opened.append(True)
            streams = logs._log_groups[GROUP]["streams"]
            for _ in streams:
                streams["another"] = {"events": []}
        return collect(groups, start, end)

    monkeypatch.setattr(logs, "_collect_query_records", opening)
    monkeypatch.setattr(logs, "_start_query", logs._start_query)
    patches.serve_queries(as_a_query)

    _, document = started("fields id")

    assert opened
    assert document["status"] == "Complete"
    assert len(document["results"]) == len(EVENTS)


def test_a_malformed_query_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_start_query", logs._start_query)
    patches.serve_queries(as_a_query)

    status, document = started("filter")

    assert status == 400
    assert document["__type"] == "MalformedQueryException"
