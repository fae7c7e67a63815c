"""The drill's own users: made for it, signed in as the app does it, removed with all they own."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from drills.system import System
from project.owned_rows import owner_of, remove_rows
from project.sign_in import make_and_sign_in, remove_user

EMAIL_DOMAIN = "drill.invalid"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody signed in. The username is an id that the app made."""

    username: str
    access_token: str = field(repr=False)

    @property
    def owner(self) -> str:
        """The table's hash key of everything that this user owns."""
        return owner_of(self.username)


def new_username() -> str:
    """Make a username, so that it can be written down before there is a user of it."""
    return str(uuid.uuid4())


def sign_up_and_in(system: System, username: str) -> User:
    """Make a user as an operator, and sign in by SRP. The password is kept nowhere."""
    email = f"{username}@{EMAIL_DOMAIN}"
    token = make_and_sign_in(system.cognito(), system.deployment, username, email)
    return User(username, token)


def remove(system: System, username: str) -> None:
    """Remove a user, and every row that is theirs in every Region."""
    remove_user(system.cognito(), system.deployment.user_pool_id, username)
    # In each Region: one that was cut off may hold what the other never saw.
    for region in system.regions:
        remove_rows(system.dynamodb(region), system.deployment.table_name, owner_of(username))
