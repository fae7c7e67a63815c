"""The tool that signs a demonstration user in: what it takes for a username."""

from __future__ import annotations

import uuid
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from project import sign_in

POOL = "us-east-1_Example"


class UserNotFoundError(Exception):
    """Cognito's answer for an address that nobody has verified."""


class Pool:
    """A user pool that knows one address at most."""

    def __init__(self, username: str = "") -> None:
        self.exceptions = SimpleNamespace(UserNotFoundException=UserNotFoundError)
        self._username = username

    def admin_get_user(self, **asked: str) -> dict[str, str]:
        assert asked == {"UserPoolId": POOL, "Username": "ada@example.com"}
        if not self._username:
            raise UserNotFoundError
        return {"Username": self._username}


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The usernames that were signed in."""
    usernames: list[str] = []

    def sign(_client: object, _deployment: object, username: str, email: str) -> str:
        assert email == "ada@example.com"
        usernames.append(username)
        return "a token"

    deployment = SimpleNamespace(user_pool_id=POOL)
    monkeypatch.setattr(sign_in, "read_deployment", lambda _account: deployment)
    monkeypatch.setattr(sign_in, "make_and_sign_in", sign)
    return usernames


def with_pool(monkeypatch: pytest.MonkeyPatch, pool: Pool) -> None:
    def client(_service: str, **_settings: Any) -> Pool:
        return pool

    monkeypatch.setattr(
        boto3.Session, "client", lambda _session, *given, **more: client(*given, **more)
    )


def test_nobody_works_a_username_out_from_an_address(
    monkeypatch: pytest.MonkeyPatch, signed_in: list[str]
) -> None:
    """Who could would sign it up first, and so again after its account is gone."""
    with_pool(monkeypatch, Pool())

    assert [sign_in.access_token("local", "ada") for _ in range(2)] == ["a token"] * 2

    assert len(set(signed_in)) == 2
    # Random, not made from a name (RFC 9562, 5.4).
    assert [uuid.UUID(username).version for username in signed_in] == [4, 4]


def test_who_has_an_account_gets_it_again(
    monkeypatch: pytest.MonkeyPatch, signed_in: list[str]
) -> None:
    with_pool(monkeypatch, Pool("0b6f3d0e-3a0a-4f5e-8f57-6b8f6d5d7a11"))

    sign_in.access_token("local", "ada")

    assert signed_in == ["0b6f3d0e-3a0a-4f5e-8f57-6b8f6d5d7a11"]
