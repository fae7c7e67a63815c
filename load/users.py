"""A run's own users: noted before they are made, signed in as the app does it, removed at last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import requests

from drills.rollback_log import RollbackLog
from drills.system import System
from drills.test_users import new_username
from load.phone import SignedIn
from project.console import ToolchainError
from project.paths import TREE
from project.sign_in import tokens_of

EMAIL_DOMAIN = "load.invalid"
# Cognito lets 50 a second be made, of all users of a Region (its quota UserCreation); a sign-in is
# two calls and a second of arithmetic.
AT_ONCE = 4
LOOKS = 5
LOOK_SECONDS = 10.0


def sign_in_all(
    system: System, rollback: RollbackLog, count: int, show: Callable[[str], None]
) -> list[SignedIn]:
    """Make so many users and sign them in. The passwords are kept nowhere."""
    usernames = [new_username() for _ in range(count)]
    for username in usernames:
        rollback.expect(username)
    # Made here, as boto3's sessions aren't for several threads.
    system.cognito()
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        return list(_counted(pool.map(lambda name: _sign_in(system, name), usernames), count, show))
    finally:
        pool.shutdown(cancel_futures=True)


def _counted(
    made: Iterator[SignedIn], count: int, show: Callable[[str], None]
) -> Iterator[SignedIn]:
    for number, user in enumerate(made, start=1):
        show(f"{number} of {count} users signed in")
        yield user


def _sign_in(system: System, username: str) -> SignedIn:
    email = f"{username}@{EMAIL_DOMAIN}"
    tokens = tokens_of(system.cognito(), system.deployment, username, email)
    _look(system, tokens.access)
    return SignedIn(username, tokens.access, tokens.refresh)


def _look(system: System, access_token: str) -> None:
    """See that a user is served at all, before anything is measured: the first waits for a start.

    Raises ToolchainError with the answer when nobody serves.
    """
    session = requests.Session()
    # Or a bundle named in the environment would stand in for the emulator's authority.
    session.trust_env = not system.on_emulator
    session.verify = str(TREE.ca) if system.on_emulator else True
    url = f"{system.deployment.api_url}/v1/items"
    headers = {"authorization": f"Bearer {access_token}"}
    with session:
        for _ in range(LOOKS):
            try:
                answer = session.get(url, headers=headers, timeout=LOOK_SECONDS)
            except requests.RequestException as error:
                said = str(error)
                continue
            if answer.status_code == 200:
                return
            said = f"{answer.status_code} {answer.text}"
    raise ToolchainError(f"A user who has just signed in isn't served: {said}")
