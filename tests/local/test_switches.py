"""`make status` says who may write, as each Region's replica has it."""

from __future__ import annotations

from typing import Any

import pytest

from local import status
from local.__main__ import _writers
from local.patches import dynamodb

ARN = "arn:aws:dynamodb:{}:000000000000:table/items"
OWNER = "region#us-west-2"


def replica(**attributes: Any) -> dict[str, dict[str, Any]]:
    return {OWNER: {"ready": {}, "takeover": attributes}, "user#1": {"an item": {}}}


def test_a_pause_that_is_on_its_way_is_shown_of_each_region(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tables = {
        ARN.format("us-east-1"): replica(active={"BOOL": False}),
        ARN.format("us-west-2"): replica(paused={"BOOL": True}),
    }
    monkeypatch.setattr(dynamodb, "items_by_table", lambda: tables)

    assert _writers(status.of_switches()) == [
        "writes      us-east-1 goes by: every Region may write",
        "writes      us-west-2 goes by: no Region may write: paused (make resume-writes)",
    ]

    tables[ARN.format("us-east-1")] = tables[ARN.format("us-west-2")]
    assert _writers(status.of_switches()) == [
        "writes      no Region may write: paused (make resume-writes)"
    ]


def test_a_switch_that_nobody_has_touched_lets_every_region_write() -> None:
    assert _writers([]) == ["writes      every Region may write"]
