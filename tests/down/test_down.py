"""`make down`, once nobody needs the clone any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local import process

if TYPE_CHECKING:
    from tests.support.clone import Clone


def test_down_leaves_nothing(deployed_clone: Clone) -> None:
    process_id = deployed_clone.process_id()

    status, output = deployed_clone.run("down")

    assert status == 0, output
    assert not deployed_clone.state.exists()
    assert process.identify(process_id) is None
