"""`make rollback` and `make releases`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from project.console import ToolchainError
from releases.ledger import CHOSEN, ROLLED_BACK, Claim
from releases.listing import listed
from releases.plan import Look
from releases.rollback import Leaving, concerned
from releases.versions import Versions
from tests.releases.world import GOOD, PRIMARY, STANDBY, World

FIRST, SECOND, THIRD, FOURTH = (Versions(number, number) for number in (1, 2, 3, 4))


@pytest.fixture
def world() -> World:
    """Both Regions serve their third version."""
    return World().deployed()


def test_the_version_before_serves_again_and_again(world: World) -> None:
    assert world.rollback(PRIMARY) == SECOND
    assert world.regions[PRIMARY].served == SECOND
    assert world.ledger(PRIMARY).events[-1].what == ROLLED_BACK
    assert world.rollback(PRIMARY) == FIRST
    with pytest.raises(ToolchainError, match=r"Nothing says what served .* before version 1"):
        world.rollback(PRIMARY)
    assert world.regions[PRIMARY].served == FIRST


def test_an_apply_does_not_bring_back_what_was_rolled_back_by_hand(world: World) -> None:
    world.rollback(PRIMARY)
    assert not world.release(PRIMARY)
    assert world.regions[PRIMARY].served == SECOND
    assert "make rollback, by somebody." in world.told[-1]
    # Nor does the other Region go on with it, which was left out.
    assert not world.release(STANDBY)
    assert world.regions[STANDBY].served == SECOND


def test_a_version_that_is_wanted_is_marked_no_more(world: World) -> None:
    world.rollback(PRIMARY)
    world.release(STANDBY)

    assert world.rollback(STANDBY, 3) == THIRD

    assert world.ledger(STANDBY).events[-1].what == CHOSEN
    assert world.ledger(PRIMARY).marks == ()
    assert world.release(STANDBY)
    assert world.release(PRIMARY)
    assert world.regions[PRIMARY].served == THIRD
    assert world.rollback(STANDBY) == SECOND


def test_a_version_that_was_left_here_may_be_wanted_here_again(world: World) -> None:
    world.rollback(PRIMARY)

    assert world.rollback(PRIMARY, 3) == THIRD

    assert world.ledger(PRIMARY).marks == ()
    assert world.release(PRIMARY)


def leaving(world: World) -> dict[str, Leaving]:
    return {region: world.a_rollback(region).leaving() for region in (STANDBY, PRIMARY)}


def test_both_regions_leave_what_both_serve(world: World) -> None:
    assert concerned(leaving(world)) == {STANDBY, PRIMARY}


def test_a_release_that_came_to_one_region_is_left_there_alone(world: World) -> None:
    world.wait(60)
    world.publish(replace(GOOD, name="fourth"))
    world.release(STANDBY)
    assert concerned(leaving(world)) == {STANDBY}

    region = world.regions[PRIMARY]
    region.aliases["api"] = replace(region.aliases["api"], weights={4: 0.1})
    region.rows["claim"] = Claim("run", "ada", "2026", world.now + 60, THIRD, FOURTH)
    assert concerned(leaving(world)) == {STANDBY, PRIMARY}


def test_regions_of_which_nobody_knows_anything_are_none() -> None:
    assert concerned({}) == set()


def test_a_version_that_was_never_published_is_refused(world: World) -> None:
    with pytest.raises(ToolchainError, match="has no published version 9"):
        world.rollback(PRIMARY, 9)


def test_a_canary_is_ended_by_it(world: World) -> None:
    world.publish(replace(GOOD, name="fourth"))
    region = world.regions[PRIMARY]
    for kind, alias in region.aliases.items():
        region.aliases[kind] = replace(alias, weights={4: 0.1}, revision="50")
    region.rows["claim"] = Claim("run", "ada", "2026", world.now + 60, THIRD, FOURTH)

    assert world.rollback(PRIMARY) == THIRD

    assert region.whole
    ledger = world.ledger(PRIMARY)
    assert ledger.claim is None
    assert ledger.marks[0].versions == FOURTH


def test_so_is_one_that_has_every_call_already(world: World) -> None:
    world.publish(replace(GOOD, name="fourth"))
    region = world.regions[PRIMARY]
    for kind, alias in region.aliases.items():
        region.aliases[kind] = replace(alias, version=4, revision="50")
    region.rows["claim"] = Claim("run", "ada", "2026", world.now + 60, THIRD, FOURTH)
    assert world.rollback(PRIMARY) == THIRD


def test_it_needs_no_table_of_its_own_region(world: World) -> None:
    world.regions[PRIMARY].table_lost = True
    assert world.rollback(PRIMARY) == SECOND
    assert any("couldn't be written down" in each for each in world.told)


def test_without_any_table_it_asks_for_a_version(world: World) -> None:
    for region in world.regions.values():
        region.table_lost = True
    with pytest.raises(ToolchainError, match=r"Published are 1, 2, 3: make rollback REGION="):
        world.rollback(PRIMARY)
    assert world.rollback(PRIMARY, 2) == SECOND


def look(world: World, region: str) -> Look:
    stack = world.stack(region)
    aliases, newest = stack.functions.aliases(), stack.functions.newest()
    ledger = world.ledger(region)
    return Look(aliases, newest, "", ledger, ledger.marks[-1] if ledger.marks else None)


def test_what_serves_is_listed(world: World) -> None:
    text = listed(PRIMARY, "primary", look(world, PRIMARY), world.now)
    assert text.startswith(f"{PRIMARY} (primary)\n  serves version 3 (health 3) since 1970-01-12T")
    assert "before: version 2 (health 2) (make rollback)" in text
    assert "newest" not in text


def test_what_is_not_as_usual_is_listed(world: World) -> None:
    world.publish(replace(GOOD, name="fourth", status=500))
    world.release(PRIMARY)
    region = world.regions[PRIMARY]
    region.aliases["api"] = replace(region.aliases["api"], weights={4: 0.1})
    region.rows["claim"] = Claim("run", "ada", "2026", world.now + 60, THIRD, FOURTH)

    running = listed(PRIMARY, "primary", look(world, PRIMARY), world.now)
    assert "and api version 4 gets 10 % of its calls" in running
    assert "a release of version 4 (health 4) runs since 2026, by ada" in running
    assert f"newest: version 4 (health 4), rolled back in {PRIMARY} at" in running
    assert "The smoke test fails: /health: 500" in running

    broken_off = listed(PRIMARY, "primary", look(world, PRIMARY), world.now + 61)
    assert "by ada, broke off" in broken_off

    region.aliases["api"] = replace(region.aliases["api"], version=1, weights={})
    moved = listed(PRIMARY, "primary", look(world, PRIMARY), world.now)
    assert "but the last release was of version 3 (health 3)" in moved
