"""A pool that ignores case: what ministack by itself makes of it, and what the emulator does.

A `..._still_needs_...` test calls ministack as it comes: see test_patches.py.
"""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import cognito
from pycognito.aws_srp import AWSSRP

from tests.local.test_patches import ACCOUNT
from tests.support.emulator import Emulator

PASSWORD = "Correct-Horse-7-Battery"
IGNORES_CASE = {"UsernameConfiguration": {"CaseSensitive": False}, "AliasAttributes": ["email"]}


def test_ministack_still_needs_to_ignore_case() -> None:
    with request_scope(ACCOUNT, "us-east-1"):
        made = cognito._create_user_pool({"PoolName": "twins", **IGNORES_CASE})
        pool = json.loads(made[2])["UserPool"]["Id"]
        for username in ("ada", "ADA"):
            answer = cognito._admin_create_user({"UserPoolId": pool, "Username": username})
            assert answer[0] == 200
        assert cognito._admin_get_user({"UserPoolId": pool, "Username": "Ada"})[0] == 400


class Pool:
    """A pool of the emulator, and a client of it."""

    def __init__(self, emulator: Emulator, **settings: Any) -> None:
        self.api = emulator.client("cognito-idp")
        self.id: str = self.api.create_user_pool(PoolName="case", **settings)["UserPool"]["Id"]
        made = self.api.create_user_pool_client(
            UserPoolId=self.id,
            ClientName="app",
            ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH"],
        )
        self.client: str = made["UserPoolClient"]["ClientId"]

    def sign_up(self, username: str, email: str) -> None:
        self.api.sign_up(
            ClientId=self.client,
            Username=username,
            Password=PASSWORD,
            UserAttributes=[{"Name": "email", "Value": email}],
        )

    def verify(self, username: str) -> None:
        self.api.admin_confirm_sign_up(UserPoolId=self.id, Username=username)
        self.api.admin_update_user_attributes(
            UserPoolId=self.id,
            Username=username,
            UserAttributes=[{"Name": "email_verified", "Value": "true"}],
        )

    def username(self, name: str) -> str:
        found: str = self.api.admin_get_user(UserPoolId=self.id, Username=name)["Username"]
        return found

    def sign_in(self, name: str) -> str:
        """Sign in by SRP; the username that the access token bears."""
        tokens = AWSSRP(
            username=name, password=PASSWORD, pool_id=self.id, client_id=self.client,
            client=self.api,
        ).authenticate_user()["AuthenticationResult"]  # fmt: skip
        claims: str = self.api.get_user(AccessToken=tokens["AccessToken"])["Username"]
        return claims


@pytest.fixture
def pool(emulator: Emulator) -> Iterator[Pool]:
    made = Pool(emulator, **IGNORES_CASE)
    yield made
    made.api.delete_user_pool(UserPoolId=made.id)


@pytest.fixture
def sensitive(emulator: Emulator) -> Iterator[Pool]:
    made = Pool(emulator, UsernameConfiguration={"CaseSensitive": True}, AliasAttributes=["email"])
    yield made
    made.api.delete_user_pool(UserPoolId=made.id)


def test_a_twin_in_capitals_is_refused_however_it_is_made(pool: Pool) -> None:
    username = str(uuid.uuid4())
    pool.sign_up(username, "ada@example.com")
    refused = pool.api.exceptions.UsernameExistsException

    with pytest.raises(refused):
        pool.sign_up(username.upper(), "eve@example.com")
    with pytest.raises(refused):
        pool.api.admin_create_user(UserPoolId=pool.id, Username=username.upper())

    assert len(pool.api.list_users(UserPoolId=pool.id)["Users"]) == 1


def test_whoever_is_asked_for_is_found_whatever_the_case(pool: Pool) -> None:
    pool.sign_up("ada", "Ada@Example.com")
    with pytest.raises(pool.api.exceptions.UserNotFoundException):
        pool.username("ADA@EXAMPLE.COM")  # an alias leads nowhere until it is verified
    pool.verify("Ada")

    names = ("ada", "ADA", "Ada@Example.com", "ada@example.com", "ADA@EXAMPLE.COM")

    assert {pool.username(name) for name in names} == {"ada"}
    assert {pool.sign_in(name) for name in names} == {"ada"}
    pool.api.admin_delete_user(UserPoolId=pool.id, Username="ADA")
    assert pool.api.list_users(UserPoolId=pool.id)["Users"] == []


def test_a_pool_that_minds_case_takes_twins_and_tells_them_apart(sensitive: Pool) -> None:
    for username in ("ada", "ADA"):
        sensitive.sign_up(username, f"{username}@example.com")
        sensitive.verify(username)

    assert [sensitive.sign_in(name) for name in ("ada", "ADA")] == ["ada", "ADA"]
    with pytest.raises(sensitive.api.exceptions.UserNotFoundException):
        sensitive.username("Ada")
