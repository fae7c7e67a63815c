"""The report of a release, from what the release did to the page."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from releases.report import files
from releases.report.document import Document, build, last_seen
from tests.releases.world import GOOD, PRIMARY, STANDBY, World

if TYPE_CHECKING:
    from pathlib import Path


def reported(region: str, of_users: int = 200) -> Document:
    world = World().deployed()
    world.publish(replace(GOOD, name="<b>fourth", of_users=of_users))
    release = world.a_release(region)
    release.perform()
    return build(release.story, "local", region, 10)


def test_a_good_release_shows_shares_and_what_each_version_did() -> None:
    document = reported(PRIMARY)

    assert document["outcome"] == "released"
    assert document["versions"] == {
        "before": {"api": 3, "health": 3},
        "new": {"api": 4, "health": 4},
    }
    assert [share["share"] for share in document["shares"]] == [0.1, 1.0]
    assert document["shares"][1]["at_seconds"] >= 600
    by_version = {row["version"]: row for row in last_seen(document) if row["function"] == "api"}
    assert by_version[4]["is_new"]
    assert 0.09 < by_version[4]["calls"] / (by_version[3]["calls"] + by_version[4]["calls"]) < 0.11
    assert by_version[4]["failures"] == 0


def test_a_bad_one_ends_with_no_share_and_a_reason() -> None:
    document = reported(PRIMARY, of_users=500)

    assert document["outcome"] == "rolled back"
    assert [share["share"] for share in document["shares"]] == [0.1, 0.0]
    assert "calls of the new version failed" in document["reason"]
    assert max(row["failures"] for row in document["seen"] if row["is_new"]) >= 3


@pytest.mark.parametrize("region", [STANDBY, PRIMARY])
@pytest.mark.parametrize("of_users", [200, 500])
def test_the_page_needs_nothing_else(
    region: str, of_users: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "REPORTS", tmp_path)
    document = {**reported(region, of_users), "reason": "<script>"}

    page = files.write(document)

    assert json.loads((page.parent / "report.json").read_text()) == document
    text = page.read_text()
    assert page.parent.name.endswith(f"Z-{region}")
    assert "<svg" in text
    assert "&lt;script&gt;" in text
    assert not [part for part in ("http://", "<link", "<script", "src=") if part in _plain(text)]


def _plain(text: str) -> str:
    """The page without its picture, whose names of languages are no links."""
    return text[: text.index("<svg")] + text[text.index("</svg>") :]
