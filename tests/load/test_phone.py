"""What a phone sends for a visit: the habits of an app on a mobile network."""

from __future__ import annotations

from itertools import pairwise

from load.habits import Visit
from load.phone import (
    CREATE,
    DELETE,
    GET,
    GIVE_UP_SECONDS,
    GOOD,
    LIST,
    PATCH,
    REFRESH,
    TOKEN_SECONDS,
    Reply,
)
from tests.load.lines import Service, phone
from tests.support import contract

BUSY = Reply(503, {"retry-after": "30"})
NO_ANSWER = Reply(None)


def test_a_visit_begins_when_it_is_due_and_with_a_list() -> None:
    service = Service(items={"tea": 1})

    phone().visit(service, Visit(), 5.0)

    (call,) = service.calls
    assert (call.route, call.due, call.path) == (LIST, 5.0, "/v1/items?limit=25")
    assert call.headers["authorization"] == "Bearer an access token"


def test_an_item_that_was_seen_before_is_asked_for_only_if_it_changed() -> None:
    service = Service(items={"tea": 1})

    phone().visit(service, Visit(opens=2), 0.0)

    first, second = service.sent(GET)
    assert "if-none-match" not in first.headers
    assert second.headers["if-none-match"] == '"1"'


def test_the_next_tap_comes_after_some_thought() -> None:
    service = Service(items={"tea": 1})

    phone().visit(service, Visit(opens=2), 0.0)

    first, second = service.sent(GET)
    assert first.due >= 0.1 + 0.5
    assert second.due >= first.due + 0.1 + 0.5


def test_a_write_that_fails_is_sent_again_with_the_same_key_later_and_later() -> None:
    service = Service(fails=[Reply(200, document={"items": []}), NO_ANSWER, NO_ANSWER, BUSY])

    phone().visit(service, Visit(creates=True), 0.0)

    tries = service.sent(CREATE)
    assert [each.number for each in tries] == [1, 2, 3, 4]
    assert len({each.headers["idempotency-key"] for each in tries}) == 1
    waits = [after.due - before.due for before, after in pairwise(tries)]
    assert waits[0] < waits[1] < 30 <= waits[2]
    assert service.problems == [(CREATE, "")]
    assert list(service.items) == ["item-0"]


def test_a_write_that_is_wrong_is_not_sent_again_and_noted() -> None:
    service = Service(fails=[Reply(200, document={"items": []}), Reply(400)])

    phone().visit(service, Visit(creates=True), 0.0)

    assert len(service.sent(CREATE)) == 1
    assert service.problems == [(CREATE, "given up after 1 tries")]


def test_a_write_is_given_up_in_the_end() -> None:
    service = Service(fails=[Reply(200, document={"items": []}), *(50 * [NO_ANSWER])])

    phone().visit(service, Visit(creates=True), 0.0)

    tries = service.sent(CREATE)
    # Not before a failover is over, nor for ever.
    assert 60 < tries[-1].due - tries[0].due <= GIVE_UP_SECONDS
    assert max(after.due - before.due for before, after in pairwise(tries)) < 17
    assert service.problems == [(CREATE, f"given up after {len(tries)} tries")]


def test_a_create_without_a_network_is_sent_when_there_is_one() -> None:
    service = Service()

    phone().visit(service, Visit(creates=True, offline=True), 0.0)

    assert service.sent(CREATE)[0].due >= 3.0


def test_a_create_that_is_sent_again_finds_what_it_made() -> None:
    service = Service()

    phone().visit(service, Visit(creates=True, repeated=True), 0.0)

    first, again = service.sent(CREATE)
    assert first.headers == again.headers
    assert (first.body, len(service.items)) == (again.body, 1)
    assert service.problems == [(CREATE, "")]


def test_a_second_item_for_one_create_is_noticed() -> None:
    service = Service(forgets_keys=True)

    phone().visit(service, Visit(creates=True, repeated=True), 0.0)

    assert (CREATE, "made a second item") in service.problems


def test_a_change_names_the_version_that_was_seen_and_learns_the_next() -> None:
    service = Service(items={"tea": 4})
    mine = phone()

    mine.visit(service, Visit(changes=True), 0.0)
    mine.visit(service, Visit(changes=True), 20.0)

    assert [call.headers["if-match"] for call in service.sent(PATCH)] == ['"4"', '"5"']
    # Nobody changes what they haven't seen.
    assert len(service.sent(GET)) == 1


def test_what_somebody_else_has_changed_is_forgotten() -> None:
    service = Service(items={"tea": 4})
    mine = phone(tea='"1"')

    mine.visit(service, Visit(changes=True), 0.0)

    assert service.problems == [(PATCH, "")]
    assert mine.held == {}


def test_what_is_deleted_is_forgotten() -> None:
    service = Service(items={"tea": 1})
    mine = phone()

    mine.visit(service, Visit(deletes=True), 0.0)

    assert len(service.sent(DELETE)) == 1
    assert mine.held == {}


def test_who_has_nothing_makes_something() -> None:
    service = Service()

    phone().visit(service, Visit(opens=3), 0.0)

    assert [call.route for call in service.calls] == [LIST, CREATE]


def test_an_old_token_is_renewed_before_anything_else() -> None:
    service = Service(items={"tea": 1})
    mine = phone()

    mine.visit(service, Visit(refreshes=True), 0.0)
    mine.visit(service, Visit(), TOKEN_SECONDS)
    mine.visit(service, Visit(), 2 * TOKEN_SECONDS)

    assert [call.route for call in service.calls] == [REFRESH, LIST, LIST, REFRESH, LIST]
    refresh, listing = service.calls[:2]
    assert refresh.body
    assert refresh.body["AuthParameters"] == {"REFRESH_TOKEN": "a refresh token"}
    assert "authorization" not in refresh.headers
    assert listing.headers["authorization"] == "Bearer another"


def test_who_sees_an_error_puts_the_phone_away() -> None:
    service = Service(fails=[BUSY])

    phone(tea='"1"').visit(service, Visit(opens=3, creates=True), 0.0)

    assert [call.route for call in service.calls] == [LIST]


def test_every_answer_that_counts_as_good_is_one_of_the_contract() -> None:
    promised = contract.read().promised()
    operations = {
        LIST: "listItems",
        GET: "getItem",
        CREATE: "createItem",
        PATCH: "patchItem",
        DELETE: "deleteItem",
    }

    for route, operation in operations.items():
        assert {(operation, status) for status in GOOD[route]} <= promised
    # An error of the service's is none.
    assert max(max(good) for good in GOOD.values()) < 429
