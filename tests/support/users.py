"""People of the user pool: made by an operator, signed in as the app does it."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pycognito.aws_srp import AWSSRP

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.client import CognitoIdentityProviderClient


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a sign-in yields; each a string as it came."""

    access: str
    id: str
    refresh: str


@dataclass(frozen=True, slots=True)
class Person:
    """An account of the pool. `username` is an id that the app made, `email` is the alias."""

    username: str
    email: str
    password: str

    @property
    def owner(self) -> str:
        """The table's hash key of everything this person owns."""
        return f"user#{self.username}"

    def again(self) -> Person:
        """Somebody else who takes the same username, with another address and password."""
        other = stranger()
        return Person(self.username, other.email, other.password)


def stranger() -> Person:
    """A person the pool doesn't know yet."""
    username = str(uuid.uuid4())
    return Person(username, f"{username}@e2e.invalid", f"Aa1!{secrets.token_urlsafe(24)}")


@dataclass(frozen=True, slots=True)
class Pool:
    """A user pool and the app's client of it."""

    cognito: CognitoIdentityProviderClient
    pool_id: str
    client_id: str

    def sign_up(self, person: Person) -> None:
        """Let the person sign up, as the app does it; nobody has confirmed the e-mail then."""
        self.cognito.sign_up(
            ClientId=self.client_id,
            Username=person.username,
            Password=person.password,
            UserAttributes=[{"Name": "email", "Value": person.email}],
        )

    def add(self, person: Person) -> None:
        """Make the person as an operator: confirmed, e-mail verified, password final."""
        self.cognito.admin_create_user(
            UserPoolId=self.pool_id,
            Username=person.username,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": "email", "Value": person.email},
                {"Name": "email_verified", "Value": "true"},
            ],
        )
        self.cognito.admin_set_user_password(
            UserPoolId=self.pool_id,
            Username=person.username,
            Password=person.password,
            Permanent=True,
        )

    def remove(self, person: Person) -> None:
        """Delete the person, if there still is one."""
        try:
            self.cognito.admin_delete_user(UserPoolId=self.pool_id, Username=person.username)
        except self.cognito.exceptions.UserNotFoundException:
            return

    def sign_in(self, person: Person, client_id: str | None = None) -> Tokens:
        """SRP by e-mail, as the app does it. Raises what Cognito raises."""
        result = AWSSRP(
            username=person.email,
            password=person.password,
            pool_id=self.pool_id,
            client_id=client_id or self.client_id,
            client=self.cognito,
        ).authenticate_user()["AuthenticationResult"]
        return Tokens(result["AccessToken"], result["IdToken"], result["RefreshToken"])

    def refresh(self, token: str) -> str:
        """A new access token for a refresh token."""
        result = self.cognito.initiate_auth(
            ClientId=self.client_id,
            AuthFlow="REFRESH_TOKEN_AUTH",
            AuthParameters={"REFRESH_TOKEN": token},
        )
        return result["AuthenticationResult"]["AccessToken"]
