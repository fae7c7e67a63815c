"""Signs a demonstration user in, as the mobile app would, and prints the access token."""

from __future__ import annotations

import contextlib
import os
import secrets
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from project.account import LOCAL
from project.console import ToolchainError
from project.deployment import read_deployment

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient


class Pool(Protocol):
    """A user pool and the app's client of it; a Deployment is one."""

    @property
    def user_pool_id(self) -> str:
        """The pool."""

    @property
    def user_pool_client_id(self) -> str:
        """The client."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What an app keeps of a sign-in: what opens the API, and what renews that."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)


def access_token(account: str, name: str) -> str:
    """Sign in <name>@example.com through SRP, made on first use; return the access token.

    Needs administrator's credentials for the pool in the environment (`make env` has them for
    the embedded AWS).
    """
    import boto3  # noqa: PLC0415 - only in the locked environment, which install runs without

    deployment = read_deployment(account)
    region = deployment.user_pool_id.partition("_")[0]
    client = boto3.Session().client("cognito-idp", region_name=region)
    email = f"{name}@example.com"
    username = _username_of(client, deployment, email) or str(uuid.uuid4())
    return make_and_sign_in(client, deployment, username, email)


def _username_of(client: CognitoIdentityProviderClient, deployment: Pool, email: str) -> str | None:
    """Find whose verified address this is.

    A username that could be worked out from an address could be signed up by somebody else first.
    """
    try:
        found = client.admin_get_user(UserPoolId=deployment.user_pool_id, Username=email)
    except client.exceptions.UserNotFoundException:
        return None
    return found["Username"]


def make_and_sign_in(
    client: CognitoIdentityProviderClient, deployment: Pool, username: str, email: str
) -> str:
    """Make a user unless there is one, sign in through SRP, and return the access token."""
    return tokens_of(client, deployment, username, email).access


def tokens_of(
    client: CognitoIdentityProviderClient, deployment: Pool, username: str, email: str
) -> Tokens:
    """Make a user unless there is one, and sign in through SRP.

    The password is new each time and kept nowhere.
    """
    from pycognito.aws_srp import AWSSRP  # noqa: PLC0415

    password = f"{secrets.token_urlsafe(24)}aA1!"
    _make_user(client, deployment, username, email, password)
    signed_in = AWSSRP(
        username=email,
        password=password,
        pool_id=deployment.user_pool_id,
        client_id=deployment.user_pool_client_id,
        client=client,
    ).authenticate_user()["AuthenticationResult"]
    return Tokens(str(signed_in["AccessToken"]), str(signed_in["RefreshToken"]))


def remove_user(client: CognitoIdentityProviderClient, pool_id: str, username: str) -> None:
    """Remove a user, if there is one."""
    with contextlib.suppress(client.exceptions.UserNotFoundException):
        client.admin_delete_user(UserPoolId=pool_id, Username=username)


def _make_user(
    client: CognitoIdentityProviderClient,
    deployment: Pool,
    username: str,
    email: str,
    password: str,
) -> None:
    with contextlib.suppress(client.exceptions.UsernameExistsException):
        client.admin_create_user(
            UserPoolId=deployment.user_pool_id,
            Username=username,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": "email", "Value": email},
                {"Name": "email_verified", "Value": "true"},
            ],
        )
    client.admin_set_user_password(
        UserPoolId=deployment.user_pool_id, Username=username, Password=password, Permanent=True
    )


def main(account: str, name: str) -> None:
    """Print the token alone, so that a shell can take it.

    Raises ToolchainError when the pool can't be reached, or not with these credentials.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    try:
        token = access_token(account, name)
    except (BotoCoreError, ClientError) as error:
        do = "make start" if account == LOCAL else "sign in to that account first"
        raise ToolchainError(f"{name} can't be signed in ({do}?): {error}") from error
    print(token)
