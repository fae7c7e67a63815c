"""The switch's row as DynamoDB holds it: each write, and who is asked where a Region is gone."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from drills import pause
from drills.faults import Takeover
from drills.steady_state import _require_normal_switch
from drills.switch import NORMAL, PROMPT, Order, Switch
from items import fence
from items.fence import Order as FenceOrder
from items.fence import refusal
from project import switch as row_of_the_switch
from project.console import ToolchainError
from project.switch import NOBODY, Row, key_of
from tests.drills.histories import PRIMARY, STANDBY
from tests.drills.systems import system

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = "items"
BUSY = {"ResponseMetadata": {"HTTPStatusCode": 503}, "Error": {"Code": "ServiceUnavailable"}}
DENIED = {"ResponseMetadata": {"HTTPStatusCode": 400}, "Error": {"Code": "AccessDeniedException"}}


class Replica:
    """A Region's client of the table; `error` is what every call ends with, if anything."""

    def __init__(self, region: str) -> None:
        self.client = boto3.Session().client("dynamodb", region_name=region, config=PROMPT)
        self.error: Exception | None = None
        self.lost_answers = 0

    def get_item(self, **parameters: Any) -> Any:
        return self._call("get_item", parameters)

    def update_item(self, **parameters: Any) -> Any:
        answer = self._call("update_item", parameters)
        if self.lost_answers:
            # botocore tries again by itself.
            self.lost_answers -= 1
            return self._call("update_item", parameters)
        return answer

    def row(self) -> Row:
        answer = self.client.get_item(TableName=TABLE, Key=key_of(STANDBY))
        return Row.of(answer.get("Item", {}))

    def _call(self, name: str, parameters: dict[str, Any]) -> Any:
        if self.error:
            raise self.error
        return getattr(self.client, name)(**parameters)


Replicas = dict[str, Replica]
GONE = EndpointConnectionError(endpoint_url="https://dynamodb")


@pytest.fixture(scope="module")
def _mocked() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment, mock_aws():
        environment.setenv("AWS_ACCESS_KEY_ID", "none")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "none")
        environment.delenv("AWS_ENDPOINT_URL", raising=False)
        yield


@pytest.fixture
def replicas(_mocked: None) -> Iterator[Replicas]:
    made = {region: Replica(region) for region in (PRIMARY, STANDBY)}
    for replica in made.values():
        replica.client.create_table(
            TableName=TABLE,
            KeySchema=[
                {"AttributeName": "owner", "KeyType": "HASH"},
                {"AttributeName": "item_id", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "owner", "AttributeType": "S"},
                {"AttributeName": "item_id", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
    yield made
    for replica in made.values():
        replica.client.delete_table(TableName=TABLE)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def switch(replicas: Replicas, told: list[str]) -> Switch:
    clients: Any = replicas
    return Switch(PRIMARY, STANDBY, clients, TABLE, told.append)


ORDERS = (
    Order(True, PRIMARY, STANDBY, 1_990_000_000_000),
    Order(True, NOBODY, STANDBY, 1_990_000_000_000),
    Order(True, STANDBY),
    NORMAL,
)


def test_each_order_is_what_the_row_says_then_and_leaves_nothing_of_the_one_before(
    switch: Switch, replicas: Replicas
) -> None:
    row = switch.read()
    assert row == Row()
    for order in ORDERS:
        row = switch.set(order, row)
        assert row == switch.read() == replicas[STANDBY].row()
        assert (row.active, row.writer) == (order.active, order.writer)
        assert (row.next_writer, row.next_at) == (order.next_writer, order.next_at)
    assert replicas[PRIMARY].row() == Row(), "one writer: the other Region gets it by replication"


def test_whoever_read_before_somebody_else_wrote_writes_nothing(
    switch: Switch, replicas: Replicas
) -> None:
    before = switch.read()
    switch.set(ORDERS[0], before)
    for late in (before, Row(changed_at="2025")):
        with pytest.raises(ToolchainError, match=f"Somebody else.*{PRIMARY} alone may write"):
            switch.set(NORMAL, late)
    assert replicas[STANDBY].row().active


def test_a_write_whose_answer_was_lost_is_done(switch: Switch, replicas: Replicas) -> None:
    replicas[STANDBY].lost_answers = 1
    assert switch.set(ORDERS[2], switch.read()).writer == STANDBY


@pytest.mark.parametrize("error", [GONE, ClientError(BUSY, "UpdateItem")])  # type: ignore[arg-type]
def test_where_the_standby_can_not_be_reached_the_primary_is_written_and_that_is_said(
    error: Exception, switch: Switch, replicas: Replicas, told: list[str]
) -> None:
    row = switch.set(ORDERS[2], switch.read())
    replicas[STANDBY].error = error

    assert not switch.reaches(STANDBY)
    switch.set(ORDERS[0], row)
    assert replicas[PRIMARY].row().writer == PRIMARY
    switch.reset()

    assert replicas[PRIMARY].row().is_normal(0, STANDBY)
    assert replicas[PRIMARY].row().changed_at
    assert len(told) == 1
    assert f"the switch is set in {PRIMARY}" in told[0]


def test_a_refusal_of_the_standbys_is_no_lost_region(switch: Switch, replicas: Replicas) -> None:
    replicas[STANDBY].error = ClientError(DENIED, "UpdateItem")  # type: ignore[arg-type]
    with pytest.raises(ClientError):
        switch.read()
    with pytest.raises(ClientError):
        switch.reaches(STANDBY)


def test_with_neither_region_it_says_so(switch: Switch, replicas: Replicas) -> None:
    for replica in replicas.values():
        replica.error = GONE
    with pytest.raises(ToolchainError, match=f"neither in {STANDBY} nor in {PRIMARY}"):
        switch.reset()


def test_a_pause_is_apart_from_the_hand_over(switch: Switch) -> None:
    row = switch.set(ORDERS[2], switch.read())

    assert switch.pause()
    assert not switch.pause()
    paused = switch.read()
    assert paused.paused
    assert paused.paused_at
    assert (paused.active, paused.writer, paused.changed_at) == (True, STANDBY, row.changed_at)
    assert switch.set(NORMAL, paused).paused
    assert switch.resume()
    assert not switch.resume()
    assert switch.read().is_normal(0, STANDBY)


def test_markers_are_found_once_all_have_come(switch: Switch, replicas: Replicas) -> None:
    token = switch.mark(PRIMARY)
    assert token
    assert switch.marked(PRIMARY, PRIMARY, token)
    rows = [
        row
        for row in replicas[PRIMARY].client.scan(TableName=TABLE)["Items"]
        if row["owner"]["S"].startswith("marker#")
    ]
    assert len(rows) == 8
    for row in rows:
        assert not switch.marked(PRIMARY, STANDBY, token)
        replicas[STANDBY].client.put_item(TableName=TABLE, Item=row)
    assert switch.marked(PRIMARY, STANDBY, token)
    again = switch.mark(PRIMARY)
    assert again
    assert not switch.marked(PRIMARY, PRIMARY, token)
    replicas[PRIMARY].error = GONE
    assert switch.mark(PRIMARY) is None
    assert not switch.marked(PRIMARY, PRIMARY, again)


def test_a_clock_that_is_wrong_does_not_move_a_hand_over(
    switch: Switch, replicas: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = {"date": formatdate(time.time() + 300, usegmt=True)}
    answer = {"ResponseMetadata": {"HTTPHeaders": ahead}}
    monkeypatch.setattr(replicas[STANDBY], "get_item", lambda **_: answer)

    switch.read()

    assert abs(switch.now() / 1000 - time.time() - 300) < 10


def replicate(replicas: Replicas) -> None:
    """Bring the standby's row to the primary."""
    item = replicas[STANDBY].client.get_item(TableName=TABLE, Key=key_of(STANDBY))["Item"]
    replicas[PRIMARY].client.put_item(TableName=TABLE, Item=item)


def test_a_pause_has_begun_once_both_regions_show_it(
    switch: Switch, replicas: Replicas, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pause.pause(switch, lambda _: replicate(replicas)) == 0
    assert "From now on no write is taken" in capsys.readouterr().err
    assert pause.pause(switch, lambda _: None) == 0
    assert "Writes were paused before" in capsys.readouterr().err

    assert pause.resume(switch, lambda _: replicate(replicas)) == 0
    assert "every Region may write" in capsys.readouterr().err
    assert pause.resume(switch, lambda _: None) == 0
    assert "Writes were not paused" in capsys.readouterr().err


def test_a_region_that_does_not_show_a_pause_is_named(
    switch: Switch, replicas: Replicas, capsys: pytest.CaptureFixture[str]
) -> None:
    replicas[PRIMARY].error = GONE
    assert pause.pause(switch, lambda _: None) == 1
    said = capsys.readouterr().err
    assert f"{PRIMARY} has not seen it, or can't be reached" in said
    assert "From now on" not in said


@pytest.fixture
def drilled(replicas: Replicas, monkeypatch: pytest.MonkeyPatch) -> Replicas:
    """The replicas, as a drill reaches them."""
    monkeypatch.setattr("drills.system.System.dynamodb", lambda _self, region: replicas[region])
    return replicas


def test_a_drill_that_was_broken_off_leaves_the_switch_as_it_usually_is(
    drilled: Replicas, switch: Switch
) -> None:
    for order in ORDERS:
        switch.set(order, switch.read())
        Takeover(STANDBY).unmake(system())
        assert drilled[STANDBY].row().is_normal(0, STANDBY)
        Takeover(STANDBY).unmake(system())


def test_no_drill_begins_where_the_switch_is_not_as_usual(
    drilled: Replicas, switch: Switch
) -> None:
    _require_normal_switch(system())

    for order in ORDERS[:3]:
        switch.set(order, switch.read())
        with pytest.raises(ToolchainError, match=r"(?s)may write.*make failback") as refused:
            _require_normal_switch(system())
        assert "Nothing was broken" in str(refused.value)

    switch.reset()
    switch.pause()
    with pytest.raises(
        ToolchainError, match=r"(?s)no Region may write: paused since 20.*resume-writes"
    ):
        _require_normal_switch(system())

    drilled[STANDBY].error = GONE
    with pytest.raises(ToolchainError, match=f"the switch in {STANDBY} can't be read"):
        _require_normal_switch(system())


@pytest.mark.parametrize("order", [*ORDERS, Order.only(PRIMARY, active=False, since=10**12)])
@pytest.mark.parametrize("milliseconds", [-1, 0, 4_999, 5_000, 59_999, 60_000])
def test_the_operators_side_reads_the_row_as_the_function_does(
    order: Order, milliseconds: int
) -> None:
    now = (order.next_at or 10**12) + milliseconds
    row = Row(order.active, order.writer, order.next_writer, order.next_at)
    by_function = {
        region
        for region in (PRIMARY, STANDBY)
        if refusal(FenceOrder(order.writer, order.next_writer, order.next_at), region, STANDBY, now)
        is None
    }
    writer = row.writer_at(now, STANDBY)
    # The primary's last 60 s of a hand-over back: written to as one that alone may.
    named = {None: {PRIMARY, STANDBY}, NOBODY: set()}.get(writer, {writer})
    assert named == by_function


@pytest.mark.parametrize(
    ("row", "milliseconds", "says"),
    [
        (Row(), 0, "every Region may write"),
        (Row(active=True), 0, "every Region may write, and the standby has taken over (make"),
        (Row(active=True, writer=STANDBY), 0, f"{STANDBY} alone may write (make failback)"),
        (Row(paused=True), 0, "no Region may write: paused (make resume-writes)"),
        (
            Row(True, PRIMARY, STANDBY, 60_000),
            0,
            f"{PRIMARY} alone may write, {STANDBY} from 1970-01-01T00:01:00+00:00 on (make takeo",
        ),
        (Row(False, NOBODY, PRIMARY, 60_000), 0, "no Region may write, us-east-1 from 1970"),
        (Row(False, NOBODY, PRIMARY, 60_000), 61_000, "no Region may write; us-east-1 does within"),
        (Row(False, STANDBY, PRIMARY, 60_000), 66_000, f"{PRIMARY} alone may write (make failback"),
        (Row(False, STANDBY, PRIMARY, 60_000), 121_000, "every Region may write"),
    ],
)
def test_a_sentence_says_who_may_write_and_what_to_type(
    row: Row, milliseconds: int, says: str
) -> None:
    assert row.sentence(milliseconds, STANDBY).startswith(says)


@pytest.mark.parametrize("name", ["KEPT_SECONDS", "HANDOVER_MS", "SHARED_AFTER_MS", "NOBODY"])
def test_whoever_hands_over_counts_as_the_functions_do(name: str) -> None:
    assert getattr(row_of_the_switch, name) == getattr(fence, name)
