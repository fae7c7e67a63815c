"""Which fields a Logs Insights query reads, on made-up queries."""

from __future__ import annotations

import pytest

from tests.support import log_queries


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("fields @timestamp, status | sort @timestamp desc", {"@timestamp", "status"}),
        ('filter requestId = "ID of it" and route like /v1\\/items/', {"requestId", "route"}),
        ("# Put the id in: requestId\nfilter a not like 'b c'", {"a"}),
        ("filter `x-edge-request-id` = 'i' | limit 10", {"x-edge-request-id"}),
        ("stats pct(taken, 99) as slow by bin(5m), method | sort slow", {"taken", "method"}),
        ("filter ispresent(error.type) or wait in [1, 2]", {"error.type", "wait"}),
    ],
)
def test_a_query_reads_its_fields_and_nothing_else(query: str, fields: set[str]) -> None:
    assert log_queries.fields(query) == fields
