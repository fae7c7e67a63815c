"""A planned move never leaves two writers, whatever interrupts it, and is completed by a second."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from project.console import ToolchainError
from project.switch import Row
from tests.drills.histories import PRIMARY, STANDBY
from tests.drills.regions import PATIENCE_SECONDS, Replica, World

# The last look, replication twice, and what functions still go by: writes are refused so long.
REFUSED_SECONDS = 12.0


class InterruptedHereError(Exception):
    """Stands for Ctrl-C, or the end of the process."""


@pytest.fixture
def world() -> World:
    return World()


def taken_over(world: World) -> World:
    """After a whole takeover."""
    assert world.hand_over().take_over().moved
    world.wait(5)
    return world


def assert_taken_over(world: World) -> None:
    assert world.served_by == STANDBY
    assert world.writers() == {STANDBY}
    row = world.replicas[STANDBY].row
    assert (row.active, row.writer, row.next_writer) == (True, STANDBY, None)


def assert_normal(world: World) -> None:
    assert world.served_by == PRIMARY
    assert world.writers() == {PRIMARY, STANDBY}
    assert world.replicas[STANDBY].row.is_normal(world.milliseconds, STANDBY)


def test_a_takeover_has_one_writer_at_a_time_and_refuses_writes_for_seconds(world: World) -> None:
    outcome = world.hand_over().take_over()
    world.wait(5)

    assert_taken_over(world)
    assert world.two_writers == []
    assert outcome.refused_seconds is not None
    assert world.no_writer_seconds <= outcome.refused_seconds <= REFUSED_SECONDS


def test_a_failback_has_one_writer_at_a_time_and_every_region_writes_after_it(
    world: World,
) -> None:
    taken_over(world)
    world.no_writer_seconds = 0
    before = len(world.replicas[STANDBY].rows)

    outcome = world.hand_over().fail_back()
    world.wait(5)

    assert_normal(world)
    assert world.two_writers == []
    rows = world.replicas[STANDBY].rows[before:]
    assert [row.writer for _, row in rows] == [STANDBY, "nobody", PRIMARY, None]
    # Others may still be sent to the standby: it is kept from writing for so long.
    assert rows[-1][0] - rows[-2][0] >= 15
    assert outcome.refused_seconds is not None
    assert world.no_writer_seconds <= outcome.refused_seconds <= REFUSED_SECONDS


def test_each_run_twice_finds_it_done(world: World) -> None:
    taken_over(world)
    assert world.hand_over().take_over().moved
    assert_taken_over(world)
    assert f"{STANDBY} had taken over before." in world.told

    world.hand_over().fail_back()
    world.wait(5)
    assert world.hand_over().fail_back().moved
    assert_normal(world)
    assert f"{STANDBY} had not taken over." in world.told


def steps(world: World, command: str) -> int:
    """Count a command's steps."""
    counted: list[str] = []
    world.broken = counted.append
    getattr(world.hand_over(), command)()
    return len(counted)


TAKEOVER_STEPS = steps(World(), "take_over")
FAILBACK_STEPS = steps(taken_over(World()), "fail_back")


def interrupt(world: World, command: str, at: int) -> None:
    """Run a command until its step of that number, and end it there."""
    left = at

    def count(_step: str) -> None:
        nonlocal left
        if left == 0:
            raise InterruptedHereError
        left -= 1

    world.broken = count
    with pytest.raises(InterruptedHereError):
        getattr(world.hand_over(), command)()
    world.broken = lambda _step: None


# At once; while users are on their way; when what was announced has come by itself.
@pytest.mark.parametrize("later", [0.0, 3.0, 45.0, 90.0, 300.0])
@pytest.mark.parametrize("at", range(TAKEOVER_STEPS))
def test_a_takeover_that_was_interrupted_is_completed_or_taken_back(at: int, later: float) -> None:
    for command, done in (("take_over", assert_taken_over), ("fail_back", assert_normal)):
        world = World()
        interrupt(world, "take_over", at)
        world.wait(later)
        assert getattr(world.hand_over(), command)().moved
        world.wait(5)
        done(world)
        assert world.two_writers == []


@pytest.mark.parametrize("later", [0.0, 3.0, 45.0, 90.0])
@pytest.mark.parametrize("at", range(FAILBACK_STEPS))
def test_a_failback_that_was_interrupted_is_completed_or_taken_back(at: int, later: float) -> None:
    for command, done in (("fail_back", assert_normal), ("take_over", assert_taken_over)):
        world = taken_over(World())
        interrupt(world, "fail_back", at)
        world.wait(later)
        assert getattr(world.hand_over(), command)().moved
        world.wait(5)
        done(world)
        assert world.two_writers == []


@pytest.mark.parametrize("at", range(FAILBACK_STEPS))
def test_whoever_never_comes_back_leaves_somebody_who_writes(at: int) -> None:
    for world, command in ((World(), "take_over"), (taken_over(World()), "fail_back")):
        interrupt(world, command, min(at, TAKEOVER_STEPS - 1))
        world.wait(300)
        assert world.served_by in world.writers()
        # Health checks may move users to a standby that hasn't been given the writes away.
        assert STANDBY in world.writers()


def test_a_primary_that_is_gone_is_waited_for_by_nobody(world: World) -> None:
    world.replicas[PRIMARY].gone = True
    world.replicas[PRIMARY].ready = False

    assert world.hand_over().take_over().moved

    assert_taken_over(world)
    assert any("goes on taking writes until the switch reaches it" in each for each in world.told)
    assert not any("stops writing" in each for each in world.told)


def test_a_primary_that_is_not_ready_is_left_at_once_and_fenced(world: World) -> None:
    world.replicas[PRIMARY].ready = False

    outcome = world.hand_over().take_over()

    assert (outcome.moved, outcome.refused_seconds) == (True, None)
    assert_taken_over(world)


def test_users_whom_health_checks_have_moved_are_not_refused_by_a_takeover(world: World) -> None:
    world.replicas[PRIMARY].ready = False
    world.wait(60)
    assert world.served_by == STANDBY
    world.no_writer_seconds = 0

    world.hand_over().take_over()

    assert world.no_writer_seconds == 0


def test_a_standby_that_is_gone_gives_back_through_the_primary(world: World) -> None:
    taken_over(world)
    world.replicas[STANDBY] = Replica(world.replicas[STANDBY].rows, gone=True, ready=False)

    assert world.hand_over().fail_back().moved

    world.wait(5)
    assert world.replicas[PRIMARY].row.is_normal(world.milliseconds, STANDBY)
    assert world.writers() == {PRIMARY}


@pytest.mark.parametrize("command", ["take_over", "fail_back"])
def test_nobody_is_moved_to_a_region_that_is_not_ready(world: World, command: str) -> None:
    if command == "fail_back":
        taken_over(world)
    before = {region: replica.row for region, replica in world.replicas.items()}
    coming = STANDBY if command == "take_over" else PRIMARY
    world.replicas[coming].ready = False

    with pytest.raises(ToolchainError, match=rf"{coming} is not ready.*Nothing was changed"):
        getattr(world.hand_over(), command)()

    assert {region: replica.row for region, replica in world.replicas.items()} == before


@pytest.mark.parametrize("command", ["take_over", "fail_back"])
def test_users_who_do_not_move_keep_the_region_that_writes(world: World, command: str) -> None:
    if command == "fail_back":
        taken_over(world)
    before = world.replicas[STANDBY].row
    world.users_move = False
    world.no_writer_seconds = 0

    outcome = getattr(world.hand_over(), command)()
    world.wait(200)

    assert not outcome.moved
    assert world.no_writer_seconds == 0
    assert any("the switch is as it was before" in each for each in world.told)
    after = world.replicas[STANDBY].row
    assert (after.active, after.writer, after.next_writer) == (before.active, before.writer, None)


@pytest.mark.parametrize("command", ["take_over", "fail_back"])
def test_no_move_begins_while_nothing_replicates(world: World, command: str) -> None:
    if command == "fail_back":
        taken_over(world)
    before = world.replicas[STANDBY].row
    world.replicates = False

    with pytest.raises(ToolchainError, match=r"has not come to .* Nothing was changed"):
        getattr(world.hand_over(), command)()

    assert world.replicas[STANDBY].row == before


@pytest.mark.parametrize("command", ["take_over", "fail_back"])
def test_replication_that_stops_while_nobody_writes_gives_the_writes_back(
    world: World, command: str
) -> None:
    if command == "fail_back":
        taken_over(world)

    def for_good(step: str) -> None:
        if "stops writing" in step:
            world.replicates = False
            world.broken = lambda _step: None

    world.broken = for_good
    assert not getattr(world.hand_over(), command)().moved
    world.replicates = True
    world.wait(60)

    (assert_normal if command == "take_over" else assert_taken_over)(world)
    assert world.two_writers == []
    assert any("writes on: the switch is as it was before" in each for each in world.told)


def test_a_primary_that_is_lost_while_nobody_writes_is_waited_for_no_longer(world: World) -> None:
    def lost(step: str) -> None:
        if "stops writing" in step:
            world.replicas[PRIMARY].gone = True
            world.replicas[PRIMARY].ready = False

    world.broken = lost
    world.no_writer_seconds = 0
    assert world.hand_over().take_over().moved
    world.wait(5)

    assert_taken_over(world)
    assert world.no_writer_seconds <= REFUSED_SECONDS


@pytest.mark.parametrize("command", ["take_over", "fail_back"])
def test_what_was_announced_may_come_while_the_other_command_waits(command: str) -> None:
    """It begins by what the row says after its wait, and that has changed by itself."""
    other = "fail_back" if command == "take_over" else "take_over"
    world = World() if command == "fail_back" else taken_over(World())
    coming = PRIMARY if command == "fail_back" else STANDBY
    announced = next(at for at in range(9) if says(world, other, at, "Users move"))
    world = World() if command == "fail_back" else taken_over(World())
    interrupt(world, other, announced)
    world.wait(30)
    # Nearly as long as the Region is waited for: by then the announced change has come.
    asked_at = world.now
    hand_over = replace(
        world.hand_over(),
        ready=lambda region: region != coming or world.now - asked_at >= PATIENCE_SECONDS - 5,
    )

    getattr(hand_over, command)()
    world.wait(5)

    (assert_normal if command == "fail_back" else assert_taken_over)(world)
    assert world.two_writers == []


def says(world: World, command: str, at: int, what: str) -> bool:
    """Whether the last thing that a command told before its step of that number was this."""
    interrupt(world, command, at)
    return bool(world.told) and what in world.told[-1]


@pytest.mark.parametrize("command", ["take_over", "fail_back"])
def test_one_slip_of_a_region_that_is_left_is_no_lost_region(world: World, command: str) -> None:
    if command == "fail_back":
        taken_over(world)
    leaving = PRIMARY if command == "take_over" else STANDBY
    slipped_at = world.now

    # Its function keeps a bad answer for a second.
    hand_over = replace(
        world.hand_over(), ready=lambda region: region != leaving or world.now - slipped_at >= 1
    )
    outcome = getattr(hand_over, command)()

    assert outcome.refused_seconds is not None, "nothing was waited for"
    assert world.two_writers == []


def test_a_takeover_from_a_region_that_is_not_ready_waits_for_one_that_is(world: World) -> None:
    before = world.replicas[STANDBY].row
    world.replicas[PRIMARY].ready = world.replicas[STANDBY].ready = False

    with pytest.raises(ToolchainError, match="Nothing was changed"):
        world.hand_over().take_over()

    assert world.replicas[STANDBY].row == before


def test_one_last_look_that_fails_moves_nobody(world: World) -> None:
    world.users_move = False
    began = world.now

    def look() -> str:
        return PRIMARY if world.now - began < PATIENCE_SECONDS else "nobody (timeout)"

    outcome = replace(world.hand_over(), writes_served_by=look).take_over()

    assert not outcome.moved
    assert_normal(world)


def test_who_cannot_see_users_moves_them_all_the_same(world: World) -> None:
    hand_over = replace(world.hand_over(), writes_served_by=lambda: "nobody (timeout)")

    hand_over.take_over()
    world.wait(5)

    assert_taken_over(world)
    assert world.two_writers == []


def test_a_paused_account_says_so_and_stays_paused(world: World) -> None:
    paused = Row(paused=True, paused_at="2026-01-31T09:30:00+00:00")
    for replica in world.replicas.values():
        replica.rows.append((world.now, paused))

    assert world.hand_over().take_over().moved

    assert "paused in every Region since 2026-01-31" in world.told[0]
    assert "make resume-writes" in world.told[0]
    assert world.replicas[STANDBY].row.paused
    assert world.writers() == set()


def test_while_users_move_the_region_that_they_leave_writes_alone(world: World) -> None:
    seen: list[set[str]] = []
    world.broken = lambda step: seen.append(world.writers()) if STANDBY in step else None

    world.hand_over().take_over()

    early = world.told.index(f"Writes are served by {STANDBY}.")
    assert early < world.told.index(f"{PRIMARY} stops writing.")
    assert {PRIMARY} in seen
    assert seen.index({PRIMARY}) < seen.index({STANDBY})


def test_writes_that_come_to_both_regions_in_turn_have_not_moved(world: World) -> None:
    kept = itertools.cycle([STANDBY, STANDBY, PRIMARY])
    hand_over = world.hand_over()
    moving = replace(hand_over, writes_served_by=lambda: next(kept))

    moving.take_over()

    late = next(row for row in world.replicas[STANDBY].rows if row[1].writer == "nobody")
    assert late[0] - 1_000_000 >= PATIENCE_SECONDS


def test_a_switch_of_before_there_were_writers_is_given_back_too(world: World) -> None:
    for replica in world.replicas.values():
        replica.rows.append((world.now, Row(active=True, changed_at="2025")))
    world.wait(60)

    assert world.hand_over().fail_back().moved

    assert world.replicas[STANDBY].row.is_normal(world.milliseconds, STANDBY)


def test_two_operators_do_not_interleave(world: World) -> None:
    first = world.hand_over()

    def meanwhile(step: str) -> None:
        if "Users move" in step:
            world.broken = lambda _step: None
            world.wait(1)
            world.hand_over().fail_back()

    world.broken = meanwhile
    with pytest.raises(ToolchainError, match="Somebody else"):
        first.take_over()
