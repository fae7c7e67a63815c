"""Saving: soon, tried again, never by halves, and never silent about a failure."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from local import persistence
from local.background import Background
from local.item_store import ItemStore, SaveError
from local.patches import persistence as patches
from local.persistence import Saver, changed_by, only_reads
from local.unreadable import (
    SetAsideError,
    UnreadableStateError,
    begin_without,
    require_readable,
    set_aside,
)


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the services hold; each is saved."""
    held: dict[str, Any] = {"cognito": {"users": 1}}

    def service_states() -> dict[str, Callable[[], Any]]:
        return {name: partial(held.__getitem__, name) for name in held}

    monkeypatch.setattr(patches, "service_states", service_states)
    return held


@pytest.fixture
def saver(tmp_path: Path, states: dict[str, Any]) -> Saver:
    return Saver(tmp_path, ItemStore(tmp_path / "items.sqlite"), 0.0, lambda: None)


def saved(saver: Saver, service: str = "cognito") -> Any:
    return json.loads((saver.folder / f"{service}.json").read_text())["payload"]


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - of what it waits for there is no event
            await asyncio.sleep(0.005)


def while_saving(saver: Saver, body: Coroutine[Any, Any, None]) -> None:
    async def run() -> None:
        task = asyncio.create_task(saver.run())
        try:
            await body
        finally:
            task.cancel()

    asyncio.run(run())


def test_a_change_is_saved_and_nothing_is_written_twice(
    saver: Saver, states: dict[str, Any]
) -> None:
    asyncio.run(saver.save())
    first = (saver.folder / "cognito.json").stat()
    asyncio.run(saver.save(everything=True))
    assert (saver.folder / "cognito.json").stat() == first

    states["cognito"] = {"users": 2}
    asyncio.run(saver.save(everything=True))
    assert saved(saver) == {"users": 2}


def test_items_alone_are_saved_without_a_look_at_the_services(saver: Saver) -> None:
    saver.items.put("a", ("x",), 1)

    asyncio.run(saver.save(frozenset()))

    assert saver.items.read() == {"a": [(("x",), 1)]}
    assert not (saver.folder / "cognito.json").exists()


def test_no_service_is_looked_at_but_those_that_may_have_changed(
    saver: Saver, states: dict[str, Any]
) -> None:
    states["iam"] = {"roles": 1}
    cognito, iam = saver.folder / "cognito.json", saver.folder / "iam.json"

    async def body() -> None:
        saver.items.put("a", ("x",), 1)
        saver.changed(frozenset())
        await until(lambda: not saver.waiting)
        assert not cognito.exists()
        saver.changed(frozenset({"cognito"}))
        saver.changed(frozenset())
        await until(lambda: not saver.waiting)
        assert cognito.exists()
        assert not iam.exists()
        saver.changed()
        saver.changed(frozenset({"cognito"}))
        await until(iam.exists)

    while_saving(saver, body())

    assert saver.items.read() == {"a": [(("x",), 1)]}


def test_a_large_state_waits_for_its_turn_and_no_other_waits_for_it(
    saver: Saver, states: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persistence, "MAX_SHARE", 1e-9)  # whatever it took was too long
    assert asyncio.run(saver.save()) is True
    states |= {"cognito": {"users": 2}, "iam": {"roles": 1}}

    assert asyncio.run(saver.save()) is False
    assert saved(saver) == {"users": 1}
    assert saved(saver, "iam") == {"roles": 1}

    assert asyncio.run(saver.save(everything=True)) is True
    assert saved(saver) == {"users": 2}


def test_what_fails_is_told_and_tried_again_until_it_is_saved(
    saver: Saver,
    states: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(persistence, "RETRY_SECONDS", 0.01)
    staging = saver.folder / "cognito.json.new"
    staging.mkdir()  # whoever runs the tests, nobody writes this file

    async def body() -> None:
        saver.changed()
        await until(lambda: saver.failure)
        assert str(staging) in saver.failure
        states["iam"] = {"roles": 1}
        await until((saver.folder / "iam.json").exists)
        staging.rmdir()
        await until(lambda: not saver.failure)

    with caplog.at_level(logging.WARNING):
        while_saving(saver, body())

    assert saved(saver) == {"users": 1}
    messages = [record.getMessage() for record in caplog.records]
    assert sum("can't be saved" in message for message in messages) == 1
    assert "the state is saved again" in messages


def test_a_state_that_has_no_json_form_is_told_as_well(
    saver: Saver, states: dict[str, Any]
) -> None:
    states["cognito"] = {"users": {1, 2}}

    with pytest.raises(SaveError, match="the state of cognito"):
        asyncio.run(saver.save())
    assert saver.failure


def test_with_an_interval_of_0_nothing_is_acknowledged_that_is_not_saved(saver: Saver) -> None:
    saver.items.put("a", ("x",), 1)
    asyncio.run(saver.before_acknowledging(frozenset()))
    assert saver.items.read() == {"a": [(("x",), 1)]}

    (saver.folder / "cognito.json.new").mkdir()
    with pytest.raises(SaveError):
        asyncio.run(saver.before_acknowledging(None))


def test_otherwise_an_acknowledgement_waits_for_nothing(saver: Saver) -> None:
    saver.interval = 0.5
    saver.items.put("a", ("x",), 1)

    asyncio.run(saver.before_acknowledging(None))

    assert saver.items.changed


@pytest.mark.parametrize(
    ("target", "reads", "services"),
    [
        ("DynamoDB_20120810.PutItem", False, ()),
        ("DynamoDB_20120810.UpdateItem", False, ()),
        ("DynamoDB_20120810.DeleteItem", False, ()),
        ("DynamoDB_20120810.BatchWriteItem", False, ()),
        ("DynamoDB_20120810.TransactWriteItems", False, ()),
        ("DynamoDB_20120810.ExecuteStatement", False, None),
        ("DynamoDB_20120810.DeleteTable", False, None),
        ("DynamoDB_20120810.GetItem", True, None),
        ("AWSCognitoIdentityProviderService.SignUp", False, ("cognito",)),
        ("", False, None),
    ],
)
def test_what_an_operation_may_change_is_known(
    target: str, reads: bool, services: tuple[str, ...] | None
) -> None:
    assert only_reads("POST", target) is reads
    assert changed_by(target) == (None if services is None else frozenset(services))


def test_a_task_or_a_thread_that_dies_is_an_error_that_somebody_sees(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    background = Background()

    async def dies() -> None:
        raise LookupError("lost")

    async def lasts() -> None:
        await asyncio.Event().wait()

    async def body() -> None:
        background.watch_threads()
        background.start(dies(), "replication")
        background.start(lasts(), "saving")
        thread = threading.Thread(target=lambda: 1 / 0, name="a daemon")
        thread.start()
        thread.join()
        await until(lambda: len(background.failures) == 2)
        background.cancel()

    asyncio.run(body())

    assert sorted(background.failures) == [
        "a daemon: ZeroDivisionError('division by zero')",
        "replication: LookupError('lost')",
    ]
    assert "replication has ended, and should not have" in caplog.text
    assert "LookupError: lost" in caplog.text


def unreadable(state: Path, name: str) -> Path:
    state.mkdir(exist_ok=True)
    file = state / name
    file.write_text("{")
    set_aside(UnreadableStateError(file, "Expecting property name"))
    return file


def test_what_cant_be_read_is_kept_and_nothing_begins_without_it(tmp_path: Path) -> None:
    state = tmp_path / "state"
    cognito, items = unreadable(state, "cognito.json"), unreadable(state, "items.sqlite")

    assert not cognito.exists()
    with pytest.raises(SetAsideError) as refused:
        require_readable(state)
    for part in (f"{cognito}.unreadable", f"{items}.unreadable", "WITHOUT=cognito,items"):
        assert part in str(refused.value)
    assert "every item of every table" in str(refused.value)


def test_only_what_is_named_is_begun_without_and_it_is_kept(tmp_path: Path) -> None:
    state = tmp_path / "state"
    unreadable(state, "cognito.json")
    (state / "items.sqlite-wal").write_text("the newest")
    unreadable(state, "items.sqlite")

    kept = begin_without(state, ["items"])

    assert kept[0].read_text() == "{"
    assert kept[0].with_name(f"{kept[0].name}-wal").read_text() == "the newest"
    with pytest.raises(SetAsideError, match=r"WITHOUT=cognito`"):
        require_readable(state)
    with pytest.raises(SetAsideError, match="WITHOUT=dynamodb: set aside is cognito"):
        begin_without(state, ["dynamodb"])


def test_items_are_kept_with_their_tables(tmp_path: Path) -> None:
    state = tmp_path / "state"
    unreadable(state, "dynamodb.json")
    (state / "items.sqlite").write_text("whole")

    kept = begin_without(state, ["dynamodb"])

    assert [path.read_text() for path in kept] == ["{", "whole"]
    assert list(state.iterdir()) == []


def test_a_repaired_file_has_its_name_again_and_all_begins(tmp_path: Path) -> None:
    file = unreadable(tmp_path / "state", "cognito.json")
    file.with_name("cognito.json.unreadable").rename(file)

    require_readable(tmp_path / "state")
