"""A Region's release: what users meet of a good one and of bad ones, and where it may stop."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from project.console import ToolchainError
from releases.ledger import FIRST, RELEASED, ROLLED_BACK, Claim
from releases.records import ClaimedError
from releases.verdicts import CouldNotJudgeError
from releases.versions import Alias, Versions
from tests.releases.world import GOOD, PRIMARY, STANDBY, USERS_A_SECOND, Code, Killed, World

THIRD, FOURTH = Versions(3, 3), Versions(4, 4)
NEXT = replace(GOOD, name="fourth")


@pytest.fixture
def world() -> World:
    """Both Regions serve their third version."""
    return World().deployed()


def serves(world: World, region: str) -> Versions:
    """What a Region serves, to whoever calls."""
    assert world.regions[region].whole
    return world.regions[region].served


def assert_as_before(world: World, region: str) -> None:
    assert serves(world, region) == THIRD
    ledger = world.ledger(region)
    assert ledger.claim is None
    assert ledger.serving is not None
    assert ledger.serving.versions == THIRD


def test_a_good_release_goes_to_the_standby_at_once_and_to_users_by_and_by(world: World) -> None:
    world.publish(NEXT)

    assert world.release(STANDBY)
    assert serves(world, STANDBY) == FOURTH
    assert serves(world, PRIMARY) == THIRD
    began = world.now
    assert world.release(PRIMARY)

    assert serves(world, PRIMARY) == FOURTH
    assert world.now - began >= 600
    assert world.regions[PRIMARY].users_failed == 0
    serving = world.ledger(PRIMARY).serving
    assert serving is not None
    assert (serving.versions, serving.before) == (FOURTH, THIRD)
    assert world.ledger(PRIMARY).events[-1].what == RELEASED
    assert world.ledger(PRIMARY).claim is None
    assert world.owners == set()


def test_a_first_deployment_is_looked_at_and_written_down() -> None:
    world = World()
    world.publish(GOOD)
    world.names = False
    assert world.release(STANDBY)
    assert world.ledger(STANDBY).events[-1].what == FIRST
    assert world.release(STANDBY)
    assert world.told[-1] == "Version 1 (health 1) serves already."


def test_a_first_deployment_that_does_not_work_says_so_each_time() -> None:
    world = World()
    world.publish(replace(GOOD, status=500))
    for _ in range(2):
        with pytest.raises(ToolchainError, match="fails its smoke test: /health: 500"):
            world.release(STANDBY)
    assert world.ledger(STANDBY).serving is None


def test_nothing_new_is_nothing_to_do(world: World) -> None:
    def no_change(step: str) -> None:
        assert not step.startswith(("claim", "move", "call", "conclude")), step

    world.broken = no_change
    assert world.release(PRIMARY)
    assert world.told == ["Version 3 (health 3) serves already."]


def test_a_change_of_settings_alone_is_a_release(world: World) -> None:
    world.publish(replace(world.regions[PRIMARY].published["api"][3], memory=2048))
    assert world.release(STANDBY)
    assert world.release(PRIMARY)
    assert serves(world, PRIMARY) == FOURTH


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (replace(NEXT, starts=False), "no module"),
        (replace(NEXT, status=500), "500 in place of 200"),
        (replace(NEXT, malformed=True), "malformed proxy answer"),
        (replace(NEXT, milliseconds=400), "slower than what serves"),
        (replace(NEXT, active=False), "can't be packaged"),
    ],
    ids=["starts-not", "5xx", "malformed", "slow", "failed"],
)
@pytest.mark.parametrize("region", [STANDBY, PRIMARY])
def test_what_the_smoke_test_catches_costs_users_nothing(
    world: World, bad: Code, reason: str, region: str
) -> None:
    world.publish(bad)
    other = PRIMARY if region == STANDBY else STANDBY

    assert not world.release(region)

    assert_as_before(world, region)
    assert serves(world, other) == THIRD
    (mark,) = world.ledger(region).marks
    assert reason in mark.reason
    assert world.regions[region].users_failed == 0
    assert world.owners == set()


def test_what_fails_at_the_regions_own_name_goes_back(world: World) -> None:
    world.publish(NEXT)
    world.bad_by_name = {STANDBY}
    assert not world.release(STANDBY)
    assert_as_before(world, STANDBY)
    assert "own name" in world.ledger(STANDBY).marks[0].reason


def test_what_only_users_meet_costs_the_canarys_share_and_goes_back_in_both(world: World) -> None:
    world.publish(replace(NEXT, of_users=500))
    assert world.release(STANDBY)

    began = world.now
    assert not world.release(PRIMARY)

    assert_as_before(world, PRIMARY)
    assert serves(world, STANDBY) == THIRD
    assert world.ledger(STANDBY).events[-1].what == ROLLED_BACK
    assert "calls of the new version failed" in world.ledger(PRIMARY).marks[0].reason
    region = world.regions[PRIMARY]
    # A tenth of the calls, for as long as CloudWatch is behind and a look takes.
    assert 0 < region.users_failed <= 0.1 * USERS_A_SECOND * (world.now - began) + 1
    assert world.now - began <= world.late_seconds + 2 * 60 + 15


def test_what_was_rolled_back_does_not_come_back_until_the_code_changes(world: World) -> None:
    bad = replace(NEXT, of_users=500)
    world.publish(bad)
    world.release(STANDBY)
    world.release(PRIMARY)

    for region in (STANDBY, PRIMARY):
        assert not world.release(region)
        assert_as_before(world, region)
        assert f"was rolled back in {PRIMARY}" in world.told[-1]
        assert f"make rollback REGION={region} VERSION=4" in world.told[-1]

    # The same code as a new version: an apply after a change that is none makes one.
    world.publish(bad)
    assert not world.release(STANDBY)

    world.publish(replace(NEXT, name="another"))
    assert world.release(STANDBY)
    assert world.release(PRIMARY)
    assert serves(world, PRIMARY) == Versions(6, 6)


def test_a_region_that_missed_the_rollback_leaves_the_bad_version_at_its_next_release(
    world: World,
) -> None:
    world.publish(replace(NEXT, of_users=500))
    world.release(STANDBY)

    # The standby can't be reached by the time the canary has been caught.
    def cut(step: str) -> None:
        world.regions[STANDBY].lost |= step.startswith("conclude")

    world.broken = cut
    assert not world.release(PRIMARY)
    assert serves(world, STANDBY) == FOURTH
    assert any(f"make rollback REGION={STANDBY}" in each for each in world.told)

    world.broken = lambda _step: None
    world.regions[STANDBY].lost = False
    assert not world.release(STANDBY)
    assert_as_before(world, STANDBY)


def test_an_alarm_that_goes_off_during_the_canary_ends_it(world: World) -> None:
    world.publish(NEXT)
    world.regions[PRIMARY].alarms = frozenset({"fires before"})
    began = world.now

    def ring(_step: str) -> None:
        if world.now > began + 200:
            world.regions[PRIMARY].alarms = frozenset({"fires before", "serves-errors"})

    world.broken = ring
    assert not world.release(PRIMARY)
    assert_as_before(world, PRIMARY)
    assert world.ledger(PRIMARY).marks[0].reason == "Alarms went off: serves-errors."


def test_a_region_that_is_not_ready_judges_nobody(world: World) -> None:
    world.publish(NEXT)
    began = world.now

    def lose_the_table(_step: str) -> None:
        world.regions[PRIMARY].ready = world.now <= began + 200

    world.broken = lose_the_table
    with pytest.raises(CouldNotJudgeError, match="whichever version"):
        world.release(PRIMARY)
    assert_as_before(world, PRIMARY)
    assert world.ledger(PRIMARY).marks == ()


def test_what_serves_failing_the_smoke_test_as_well_judges_nobody(world: World) -> None:
    world.publish(NEXT)
    world.regions[PRIMARY].ready = False
    with pytest.raises(CouldNotJudgeError, match="so it does with what serves"):
        world.release(PRIMARY)
    assert_as_before(world, PRIMARY)
    assert world.ledger(PRIMARY).marks == ()


def test_metrics_that_never_come_make_no_release_good(world: World) -> None:
    world.publish(NEXT)
    world.late_seconds = 1e9
    with pytest.raises(CouldNotJudgeError, match="CloudWatch doesn't show"):
        world.release(PRIMARY)
    assert_as_before(world, PRIMARY)
    assert world.ledger(PRIMARY).marks == ()


def test_metrics_that_are_late_are_waited_for(world: World) -> None:
    world.publish(NEXT)
    world.late_seconds = 240
    began = world.now
    assert world.release(PRIMARY)
    assert world.now - began >= 600 + 180


def test_a_canary_that_nobody_called_is_judged_by_its_own_calls(world: World) -> None:
    world.publish(NEXT)
    world.users_a_second = world.checks_a_second = 0
    assert world.release(PRIMARY)
    region = world.regions[PRIMARY]
    assert region.users == 0
    assert sum(calls for key, calls in region.calls.items() if key[:2] == ("api", 4)) > 0
    assert serves(world, PRIMARY) == FOURTH


def test_no_minutes_are_no_canary(world: World) -> None:
    world.publish(NEXT)
    world.settings = replace(world.settings, bake_minutes=0)
    began = world.now
    assert world.release(PRIMARY)
    assert world.now == began


def test_provisioned_concurrency_moves_at_once_and_is_watched(world: World) -> None:
    world.regions[PRIMARY].provisioned = True
    world.publish(NEXT)
    world.wait(600)
    assert world.release(PRIMARY)
    assert serves(world, PRIMARY) == FOURTH

    world.publish(replace(NEXT, name="fifth", of_users=500))
    assert not world.release(PRIMARY)
    assert serves(world, PRIMARY) == FOURTH


def test_a_second_release_at_the_same_time_is_told_whose_runs(world: World) -> None:
    world.publish(NEXT)
    began = world.now
    second: list[str] = []

    def meanwhile(step: str) -> None:
        # Long after the lease that it began with.
        if step == "pause" and world.now - began > 300:
            world.broken = lambda _step: None
            with pytest.raises(ClaimedError) as error:
                world.release(PRIMARY)
            second.append(str(error.value))

    world.broken = meanwhile
    assert world.release(PRIMARY)
    assert "operator" in second[0]
    assert serves(world, PRIMARY) == FOURTH


def test_an_alias_that_somebody_else_moves_is_left_to_them(world: World) -> None:
    world.publish(NEXT)

    def meanwhile(step: str) -> None:
        if step == "pause":
            world.broken = lambda _step: None
            world.rollback(PRIMARY, 2)

    world.broken = meanwhile
    with pytest.raises(ToolchainError):
        world.release(PRIMARY)
    assert serves(world, PRIMARY) == Versions(2, 2)
    assert world.ledger(PRIMARY).claim is None


@pytest.mark.parametrize("unreachable", ["lost", "table_lost"])
def test_the_other_region_need_not_be_there(world: World, unreachable: str) -> None:
    world.publish(NEXT)
    setattr(world.regions[STANDBY], unreachable, True)
    assert world.release(PRIMARY)
    assert serves(world, PRIMARY) == FOURTH
    assert any(f"The table in {STANDBY} can't be reached" in each for each in world.told)


def test_without_its_own_table_a_region_releases_nothing(world: World) -> None:
    world.publish(NEXT)
    world.regions[PRIMARY].table_lost = True
    with pytest.raises(Exception, match="dynamodb"):
        world.release(PRIMARY)
    assert serves(world, PRIMARY) == THIRD


@pytest.mark.parametrize("state", [{"weights": {4: 0.1}}, {"version": 4}], ids=["some", "all"])
def test_a_release_that_broke_off_long_ago_is_put_right_first(
    world: World, state: dict[str, Any]
) -> None:
    world.publish(NEXT)
    region = world.regions[PRIMARY]
    for kind, alias in region.aliases.items():
        region.aliases[kind] = replace(alias, **state, revision="77")
    region.rows["claim"] = Claim("old", "somebody", "2026", world.now - 1, THIRD, FOURTH)
    # The newest is another one by now, and worse.
    world.publish(replace(NEXT, name="fifth", status=500))

    assert not world.release(PRIMARY)

    assert_as_before(world, PRIMARY)
    assert any("A release by somebody, since 2026, broke off." in each for each in world.told)


class InterruptedError_(BaseException):  # noqa: N801
    """Stands for KeyboardInterrupt, which would end the tests as well."""


def about_to_release(deployed: World, code: Code) -> World:
    """Make a world in which a release is short: two minutes, and few users."""
    world = deepcopy(deployed)
    world.settings = replace(world.settings, bake_minutes=2)
    world.users_a_second, world.checks_a_second, world.late_seconds = 3, 1, 10
    world.publish(code)
    return world


def test_a_release_that_is_over_is_not_taken_back(world: World) -> None:
    world.publish(NEXT)

    def stop(step: str) -> None:
        if step == f"told: Version 4 (health 4) serves in {STANDBY}.":
            raise InterruptedError_

    world.broken = stop
    with pytest.raises(InterruptedError_):
        world.release(STANDBY)
    assert serves(world, STANDBY) == FOURTH
    assert world.ledger(STANDBY).events[-1].what == RELEASED


def test_an_interrupted_release_leaves_what_somebody_else_has_moved(world: World) -> None:
    world.publish(NEXT)
    region = world.regions[PRIMARY]

    def move_and_stop(step: str) -> None:
        if step == "pause":
            world.broken = lambda _step: None
            region.aliases = {kind: Alias(1, {}, "99") for kind in region.aliases}
            raise InterruptedError_

    world.broken = move_and_stop
    with pytest.raises(InterruptedError_):
        world.release(PRIMARY)
    assert serves(world, PRIMARY) == Versions(1, 1)
    assert any("leads to version 1: it is left so" in each for each in world.told)


def steps_of(deployed: World, region: str, code: Code) -> list[str]:
    """Name every step of a release."""
    world = about_to_release(deployed, code)
    seen: list[str] = []
    world.broken = seen.append
    world.release(region)
    return seen


BAD = replace(NEXT, of_users=500)


@pytest.mark.parametrize("how", ["interrupted", "killed"])
@pytest.mark.parametrize("code", [NEXT, BAD], ids=["good", "bad"])
@pytest.mark.parametrize("region", [STANDBY, PRIMARY])
def test_wherever_a_release_ends_what_served_serves(
    world: World, region: str, code: Code, how: str
) -> None:
    deployed, steps = world, steps_of(world, region, code)
    # The journeys of the smoke test, and the canary's looks, are alike.
    places = {*range(40), *range(40, len(steps), 17), *range(len(steps) - 40, len(steps))}
    for place in sorted(place for place in places if place < len(steps)):
        world = about_to_release(deployed, code)
        _interrupt(world, region, place, how)
        begun = f"claimed {region}" in steps[:place]
        _assert_sound(world, region, f"{how} at {place}: {steps[place]}", begun=begun)


def _interrupt(world: World, region: str, place: int, how: str) -> None:
    count = iter(range(1_000_000))

    def stop(_step: str) -> None:
        if next(count) == place:
            if how == "killed":
                world.kill()
            world.broken = lambda _step: None
            raise InterruptedError_

    world.broken = stop
    with pytest.raises((InterruptedError_, Killed)):
        world.release(region)
    world.dead = False
    world.broken = lambda _step: None


def _assert_sound(world: World, name: str, where: str, *, begun: bool) -> None:
    region, ledger = world.regions[name], world.ledger(name)
    assert region.whole, where
    released = ledger.serving is not None and ledger.serving.versions == region.served
    assert released or region.served == THIRD, where
    run = f"00000000-0000-4000-8000-{world.runs:012}"
    assert not begun or (ledger.events[-1].run, ledger.claim) == (run, None), where
    assert world.owners == set(), where
    # Nothing is in the way of the next one, but a lease that nobody could end: a release that was
    # killed as it claimed had told its watchdog of nothing.
    world.wait(121)
    world.settings = replace(world.settings, bake_minutes=0)
    world.publish(replace(GOOD, name="fifth"))
    assert world.release(name), where
    assert region.served == Versions(5, 5), where
