"""Cognito: a pool that ignores case, what it answers, and the pools that it has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ministack.services import cognito

from local.patches.scope import Scope

Document = dict[str, Any]
Response = tuple[int, Document, bytes]
Found = tuple[Document | None, Response | None]


def case_does_not_count() -> None:
    """A pool that ignores case takes a twin of a username, and finds nobody by another.

    "Amazon Cognito treats any variation in case as the same user, and prevents a case variation
    from being assigned to the same attribute for a different user" (CloudFormation's
    UsernameConfiguration; the developer guide's user-pool-case-sensitivity). It holds for a
    username and for the aliases email and preferred_username (API_UsernameConfigurationType).
    How a name in a new spelling is stored, AWS doesn't say: here, as it was given.
    """
    resolve: Callable[[Document, str | None], Found] = cognito._resolve_user
    sign_up: Callable[[Document], Response] = cognito._sign_up
    admin_create_user: Callable[[Document], Response] = cognito._admin_create_user

    def resolve_user(pool: Document, username: str | None) -> Found:
        found = resolve(pool, username)
        if found[0] or not username or not _ignores_case(pool):
            return found
        for spelling in _spellings(pool, username):
            found = resolve(pool, spelling)
            if found[0]:
                break
        return found

    cognito._resolve_user = resolve_user
    cognito._sign_up = lambda data: sign_up(_as_stored(data, _pool_of_client(data)))
    cognito._admin_create_user = lambda data: admin_create_user(
        _as_stored(data, cognito._user_pools.get(data.get("UserPoolId")))
    )


def _pool_of_client(data: Document) -> Document | None:
    pools: list[Document] = list(cognito._user_pools.values())
    return next((pool for pool in pools if data.get("ClientId") in pool["_clients"]), None)


def _ignores_case(pool: Document) -> bool:
    return (pool.get("UsernameConfiguration") or {}).get("CaseSensitive") is False


def _as_stored(data: Document, pool: Document | None) -> Document:
    """The request with its username spelt as a user's who has it already, whatever its case."""
    username = data.get("Username")
    if pool is None or not isinstance(username, str) or not _ignores_case(pool):
        return data
    same = (name for name in pool["_users"] if name.lower() == username.lower())
    return {**data, "Username": next(same, username)}


def _spellings(pool: Document, username: str) -> Iterator[str]:
    """The usernames and alias values of the pool's users that differ from this in case alone."""
    aliases = {*(pool.get("UsernameAttributes") or ()), *(pool.get("AliasAttributes") or ())}
    for user in pool["_users"].values():
        attributes = cognito._attr_list_to_dict(user.get("Attributes", []))
        for text in (user["Username"], *(attributes.get(name, "") for name in aliases)):
            if text.lower() == username.lower():
                yield text


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request to Cognito and its answer; `action` is empty for the hosted endpoints."""

    path: str
    action: str
    authorization: str
    body: bytes
    answer: Response


def on_exchanges(listen: Callable[[Exchange], None]) -> None:
    """Call `listen` with every request that Cognito has answered."""
    handle: Callable[..., Awaitable[Response]] = cognito.handle_request

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Response:
        answer = await handle(method, path, headers, body, query)
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        listen(Exchange(path, action, headers.get("authorization", ""), body, answer))
        return answer

    cognito.handle_request = handle_request


def pool_of(client: str, pool: str | None) -> tuple[Scope, str] | None:
    """The pool that is named, or has the client."""
    for (account, region, pool_id), found in cognito._user_pools.all_items():
        if pool_id == pool or client in found["_clients"]:
            return (account, region), pool_id
    return None


PATCHES = (case_does_not_count,)
