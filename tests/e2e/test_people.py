"""A person of the app: from signing up to leaving."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.e2e import forgery
from tests.support.api import SignedIn, etag_of
from tests.support.users import Person, stranger

if TYPE_CHECKING:
    from tests.support.api import Api
    from tests.support.users import Pool


@pytest.mark.each_region
def test_from_sign_up_to_deletion(api: Api, pool: Pool, newcomer: Person) -> None:
    cognito = pool.cognito
    pool.sign_up(newcomer)
    # The code went to an inbox that no test can open; an operator can vouch for it.
    cognito.admin_confirm_sign_up(UserPoolId=pool.pool_id, Username=newcomer.username)
    cognito.admin_update_user_attributes(
        UserPoolId=pool.pool_id,
        Username=newcomer.username,
        UserAttributes=[{"Name": "email_verified", "Value": "true"}],
    )
    me = SignedIn(api, newcomer, pool.sign_in(newcomer))

    created = me.create({"title": "First of all"}, str(uuid.uuid4()))
    item_id = created.json()["id"]
    assert me.get(item_id).json() == created.json()
    replaced = me.replace(item_id, {"title": "Second", "tags": ["a"]}, if_match=etag_of(created))
    patched = me.patch(item_id, {"status": "done"}, if_match=etag_of(replaced))
    assert me.list(status="done").json()["items"] == [patched.json()]
    assert me.delete(item_id, if_match=etag_of(patched)).status_code == 204
    assert me.list().json()["items"] == []

    cognito.delete_user(AccessToken=me.tokens.access)
    with pytest.raises(cognito.exceptions.NotAuthorizedException):
        pool.sign_in(newcomer)


def test_the_username_in_a_token_is_the_apps_own(me: SignedIn, pool: Pool) -> None:
    claims = forgery.claims(me.tokens.access)

    assert claims["username"] == me.person.username
    assert claims["client_id"] == pool.client_id
    assert claims["scope"] == "aws.cognito.signin.user.admin"


def test_an_address_that_nobody_confirmed_signs_nobody_in(pool: Pool, newcomer: Person) -> None:
    cognito = pool.cognito
    pool.sign_up(newcomer)

    with pytest.raises(
        (
            cognito.exceptions.UserNotConfirmedException,
            cognito.exceptions.NotAuthorizedException,
        )
    ):
        pool.sign_in(newcomer)


@pytest.mark.parametrize(
    "password", ["short1!A", "alllowercase1!", "NoDigitsAtAll!", "NoSymbol12345"]
)
def test_a_weak_password_is_refused(pool: Pool, newcomer: Person, password: str) -> None:
    with pytest.raises(pool.cognito.exceptions.InvalidPasswordException):
        pool.cognito.sign_up(
            ClientId=pool.client_id,
            Username=newcomer.username,
            Password=password,
            UserAttributes=[{"Name": "email", "Value": newcomer.email}],
        )


def test_a_wrong_password_and_a_wrong_address_get_the_same_error(
    pool: Pool, person: Person
) -> None:
    not_authorized = pool.cognito.exceptions.NotAuthorizedException

    with pytest.raises(not_authorized) as wrong_password:
        pool.sign_in(Person(person.username, person.email, "Wrong-password-1"))
    with pytest.raises(not_authorized) as nobody:
        pool.sign_in(stranger())

    assert (
        wrong_password.value.response["Error"]["Message"]
        == nobody.value.response["Error"]["Message"]
    )


def test_a_refreshed_token_goes_on(me: SignedIn, pool: Pool) -> None:
    fresh = pool.refresh(me.tokens.refresh)

    assert fresh != me.tokens.access
    assert me.api.send("GET", "/v1/items", token=fresh).status_code == 200


def test_a_revoked_sign_in_cannot_be_refreshed(me: SignedIn, pool: Pool) -> None:
    pool.cognito.revoke_token(Token=me.tokens.refresh, ClientId=pool.client_id)

    with pytest.raises(pool.cognito.exceptions.NotAuthorizedException):
        pool.refresh(me.tokens.refresh)
