"""A username that was freed and taken again, and the end of an account."""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING

import pytest

from items.logic import DELETION_PAGES
from tests.e2e import forgery
from tests.e2e.test_tokens import GUARDED, attempt
from tests.support.api import SignedIn, etag_of
from tests.support.deployment import ACCOUNT
from tests.support.users import Person, stranger
from tests.support.waiting import REPLICATION_DEADLINE, eventually
from toolchain import owners

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.e2e.account_operator import Operator
    from tests.support.api import Api
    from tests.support.users import Pool

ITEM = {"title": "Private"}


@pytest.fixture
def key() -> str:
    return str(uuid.uuid4())


def sub_of(person: SignedIn) -> str:
    return str(forgery.claims(person.tokens.access)["sub"])


def taken_again(me: SignedIn, pool: Pool) -> SignedIn:
    """Leave, and let somebody else sign up with the same username and another address."""
    pool.cognito.delete_user(AccessToken=me.tokens.access)
    intruder = me.person.again()
    pool.sign_up(intruder)
    pool.cognito.admin_confirm_sign_up(UserPoolId=pool.pool_id, Username=intruder.username)
    pool.cognito.admin_update_user_attributes(
        UserPoolId=pool.pool_id,
        Username=intruder.username,
        UserAttributes=[{"Name": "email_verified", "Value": "true"}],
    )
    return SignedIn(me.api, intruder, pool.sign_in(intruder))


def test_who_takes_a_freed_username_finds_nothing_of_who_had_it(
    me: SignedIn, pool: Pool, key: str
) -> None:
    made = me.create(ITEM, key)
    item_id, etag = made.json()["id"], etag_of(made)
    soft_deleted = me.create(ITEM, str(uuid.uuid4())).json()["id"]
    me.delete(soft_deleted)

    intruder = taken_again(me, pool)

    claims = [forgery.claims(one.tokens.access) for one in (me, intruder)]
    assert claims[0]["username"] == claims[1]["username"]
    assert claims[0]["sub"] != claims[1]["sub"]
    assert intruder.list().json() == {"items": [], "next_cursor": None}
    assert intruder.list(status="todo").json()["items"] == []
    for item in (item_id, soft_deleted):
        assert intruder.get(item).status_code == 404
        assert intruder.replace(item, ITEM, if_match=etag).status_code == 404
        assert intruder.patch(item, ITEM, if_match=etag).status_code == 404
        assert intruder.delete(item).status_code == 404
    replayed = intruder.create(ITEM, key)
    assert replayed.status_code == 201
    assert "idempotent-replayed" not in replayed.headers
    assert replayed.json()["id"] != item_id
    assert [item["id"] for item in intruder.list().json()["items"]] == [replayed.json()["id"]]
    assert intruder.delete_all().status_code == 204
    # A token of the account that is gone is good until it expires, and sees what it made.
    assert me.get(item_id).json() == made.json()


def test_an_operator_gives_a_rebuilt_pools_account_its_items_back(
    me: SignedIn,
    pool: Pool,
    key: str,
    emulator: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = me.create(ITEM, key).json()
    back = taken_again(me, pool)
    assert back.get(made["id"]).status_code == 404

    for name, value in emulator.items():
        monkeypatch.setenv(name, value)
    owners.main(ACCOUNT, [me.person.username, sub_of(me), sub_of(back)], None)

    found = eventually(
        lambda: back.get(made["id"]), lambda got: got.status_code == 200, REPLICATION_DEADLINE
    )
    assert found.json() == made
    assert back.list().json()["items"] == [made]
    assert back.delete_all().status_code == 204
    assert me.get(made["id"]).status_code == 404


def test_all_that_a_person_owns_is_deleted_in_both_regions(
    me: SignedIn, elsewhere: Api, someone_else: SignedIn, operator: Operator
) -> None:
    ids = [me.create(ITEM, str(uuid.uuid4())).json()["id"] for _ in range(30)]
    me.delete(ids[0])
    kept = someone_else.create(ITEM, str(uuid.uuid4())).json()
    there = me.at(elsewhere)
    eventually(
        lambda: there.list(limit=100).json()["items"],
        lambda items: len(items) == 29,
        REPLICATION_DEADLINE,
    )

    answer = me.delete_all()

    assert answer.status_code == 204
    assert me.list().json()["items"] == []
    eventually(
        lambda: there.list().json()["items"], lambda items: items == [], REPLICATION_DEADLINE
    )
    for region in operator.stacks:
        left = eventually(
            partial(operator.rows, region, me.person),
            lambda rows: len(rows) == 1,
            REPLICATION_DEADLINE,
        )
        assert set(left[0]) == {"owner", "item_id", "closed_until", "expires_at"}
    assert someone_else.get(kept["id"]).json() == kept
    assert me.delete_all().status_code == 204


@pytest.mark.emulated_only("it writes megabytes, beyond what the development account's table takes")
def test_what_one_call_cannot_delete_is_deleted_by_several(
    me: SignedIn, operator: Operator
) -> None:
    region = str(me.api.target.region)
    for _ in range(3 * DELETION_PAGES + 1):  # DynamoDB gives three at most in a page
        operator.leave_a_row(region, me.person, sub_of(me), size=390_000)

    answers = [me.delete_all()]
    while answers[-1].status_code == 202:
        assert len(answers) < 20
        answers.append(me.delete_all())

    assert answers[0].status_code == 202
    assert int(answers[0].headers["retry-after"]) > 0
    assert answers[0].json()["deleted"] > 0
    assert answers[-1].status_code == 204
    assert len(operator.rows(region, me.person)) == 1


def test_what_comes_late_fills_nothing_up_again(
    me: SignedIn, elsewhere: Api, operator: Operator, key: str
) -> None:
    item_id = me.create(ITEM, key).json()["id"]
    assert me.delete_all().status_code == 204
    there = me.at(elsewhere)

    for late in (me.create(ITEM, key), me.create(ITEM, str(uuid.uuid4()))):
        assert (late.status_code, late.json()["type"]) == (403, "/problems/data-deleted")
    assert me.replace(item_id, ITEM, if_match="*").status_code == 404
    # Asked first, the other Region would count, and its count would win over the mark.
    eventually(
        partial(operator.rows, str(elsewhere.target.region), me.person),
        lambda rows: ["closed_until" in row for row in rows] == [True],
        REPLICATION_DEADLINE,
    )
    assert there.create(ITEM, key).status_code == 403


def test_an_account_ends_with_its_data_and_itself(me: SignedIn, pool: Pool) -> None:
    me.create(ITEM, str(uuid.uuid4()))
    assert me.delete_all().status_code == 204

    pool.cognito.delete_user(AccessToken=me.tokens.access)

    with pytest.raises(pool.cognito.exceptions.NotAuthorizedException):
        pool.sign_in(me.person)


@pytest.fixture
def named(pool: Pool, operator: Operator) -> Iterator[Person]:
    """Somebody whose app made the username out of something else than a UUID."""
    other = stranger()
    person = Person(f"ada-{other.username}", other.email, other.password)
    pool.add(person)
    yield person
    pool.remove(person)
    operator.forget(person)


def test_a_username_that_is_no_uuid_is_refused(api: Api, pool: Pool, named: Person) -> None:
    me = SignedIn(api, named, pool.sign_in(named))

    statuses = {operation: attempt(api, operation, token=me.tokens.access) for operation in GUARDED}

    assert set(statuses.values()) == {403}, statuses
    assert me.list().json()["type"] == "/problems/unusable-username"


@pytest.fixture
def shouting(pool: Pool, operator: Operator) -> Iterator[Person]:
    """Somebody whose app writes UUIDs in upper case, as iOS does."""
    other = stranger()
    person = Person(other.username.upper(), other.email, other.password)
    pool.add(person)
    yield person
    pool.remove(person)
    operator.forget(other)


def test_a_username_in_upper_case_is_the_same_owner(
    api: Api, pool: Pool, shouting: Person, operator: Operator
) -> None:
    me = SignedIn(api, shouting, pool.sign_in(shouting))

    made = me.create(ITEM, str(uuid.uuid4())).json()

    assert me.list().json()["items"] == [made]
    quiet = Person(shouting.username.lower(), shouting.email, shouting.password)
    region = me.api.target.region or operator.home_region
    assert made["id"] in [row["item_id"]["S"] for row in operator.rows(region, quiet)]
