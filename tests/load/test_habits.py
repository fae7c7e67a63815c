"""How often of what: the shares are those that the costs are computed with."""

from __future__ import annotations

from random import Random

import pytest

from costs import arithmetic
from load.habits import Habits, a_visit
from load.phone import REFRESH
from tests.load.lines import Service, phone

HABITS = Habits()


def test_users_write_as_often_as_the_costs_assume() -> None:
    assumed = arithmetic.read().quantities

    total = HABITS.reads_a_visit + HABITS.writes_a_visit
    assert HABITS.writes_a_visit / total == pytest.approx(assumed["write_share"].value)
    assert HABITS.creates / HABITS.writes_a_visit == pytest.approx(assumed["create_share"].value)
    assert HABITS.reads_a_visit / total == pytest.approx(assumed["read_share"].value)


def test_visits_take_as_many_requests_as_the_rate_is_worked_out_from() -> None:
    chance, service, mine = Random(3), Service(), phone()
    visits = 4000

    for _ in range(visits):
        mine.visit(service, a_visit(HABITS, chance), service.at)

    routes = [call.route for call in service.calls if call.route != REFRESH]
    assert len(routes) / visits == pytest.approx(HABITS.requests_a_visit, rel=0.05)
    busiest = max(routes.count(route) for route in set(routes))
    assert busiest / len(routes) == pytest.approx(HABITS.busiest_share, rel=0.1)
