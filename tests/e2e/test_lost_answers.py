"""A table that does what it is told, and whose first answer to each write is lost."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from local import process, settings
from tests.e2e.test_failover import broken
from tests.support.api import etag_of

if TYPE_CHECKING:
    from project.deployment import Deployment
    from tests.support.api import SignedIn

pytestmark = [
    pytest.mark.alone,
    pytest.mark.emulated_only("nobody can make DynamoDB lose its answers"),
]


def test_every_write_is_done_once_and_nobody_is_told_of_a_conflict(
    me: SignedIn, deployment: Deployment
) -> None:
    before = answers_lost()
    with broken(deployment.primary.region, "lost"):
        made = me.create({"title": "Once"}, str(uuid.uuid4()))
        path = made.json()["id"]
        replaced = me.replace(path, {"title": "Twice?"}, if_match=etag_of(made))
        patched = me.patch(path, {"status": "doing"}, if_match=etag_of(replaced))
        anyhow = me.patch(path, {"status": "done"}, if_match="*")
        stale = me.patch(path, {"status": "todo"}, if_match=etag_of(made))
        deleted = me.delete(path, if_match=etag_of(anyhow))

    # Of the five writes that are done.
    assert answers_lost() - before >= 5
    assert (made.status_code, replaced.status_code, patched.status_code) == (201, 200, 200)
    assert "idempotent-replayed" not in made.headers
    versions = [answer.json()["version"] for answer in (made, replaced, patched, anyhow)]
    assert versions == [1, 2, 3, 4]
    assert (stale.status_code, deleted.status_code) == (412, 204)
    assert me.get(path).status_code == 404


def answers_lost() -> int:
    """How many the emulator has lost since it started."""
    reported = process.status(settings.read())
    assert reported
    return int(reported["answers_lost"])
