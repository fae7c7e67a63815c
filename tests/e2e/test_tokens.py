"""Only the app's own access tokens, unspoilt and in time, with a scope that fits."""

from __future__ import annotations

import json
import os
import subprocess
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e import forgery
from tests.support import contract
from tests.support.api import JSON
from tests.support.users import Pool, stranger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cryptography.hazmat.primitives.asymmetric import rsa
    from mypy_boto3_cognito_idp.client import CognitoIdentityProviderClient

    from tests.e2e.hosted_sign_in import HostedSignIn
    from tests.support.api import Api, SignedIn

ITEM = "/v1/items/00000000-0000-4000-8000-000000000000"
GUARDED = {
    "createItem": ("POST", "/v1/items"),
    "listItems": ("GET", "/v1/items"),
    "getItem": ("GET", ITEM),
    "replaceItem": ("PUT", ITEM),
    "patchItem": ("PATCH", ITEM),
    "deleteItem": ("DELETE", ITEM),
    "deleteMe": ("DELETE", "/v1/me"),
}


def attempt(api: Api, operation: str, **how: Any) -> int:
    """Send a request to which nothing but its token can be objected; give the status."""
    method, path = GUARDED[operation]
    headers = {"idempotency-key": str(uuid.uuid4()), **how.pop("headers", {})}
    body = None
    if method not in ("GET", "DELETE"):
        headers |= {"content-type": JSON, "if-match": "*"}
        body = json.dumps({"title": "Let me in"})
    return api.send(method, path, headers=headers, body=body, **how).status_code


def refused_everywhere(api: Api, token: str) -> None:
    """Every operation refuses this token. The gateway: 401, or 403 if it names the scope."""
    for operation in GUARDED:
        assert attempt(api, operation, token=token) in (401, 403), operation


def test_every_operation_but_health_is_guarded() -> None:
    open_to_all = {o.name for o in contract.read().operations} - GUARDED.keys()

    health = {"Health", "Readiness", "Takeover"}
    assert open_to_all == {f"{method}{name}" for method in ("get", "head") for name in health}


@pytest.mark.each_region
@pytest.mark.parametrize("operation", GUARDED)
def test_without_a_token_there_is_no_way_in(api: Api, operation: str) -> None:
    assert attempt(api, operation) == 401


@pytest.mark.each_region
def test_the_gateway_challenges_who_has_no_token(api: Api) -> None:
    assert api.send("GET", "/v1/items").headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer a.b.c",
        "Bearer ..",
        "Basic dTpw",
        "Bearer e30.e30.",
        "null",
    ],
)
def test_what_is_no_token_is_no_way_in(api: Api, authorization: str) -> None:
    for operation in ("createItem", "listItems"):
        assert attempt(api, operation, headers={"authorization": authorization}) == 401


@pytest.mark.each_region
@pytest.mark.emulated_only("nobody documents what CloudFront does with a blank at a value's end")
def test_an_empty_token_is_answered_over_http2(api: Api, emulator: Mapping[str, str]) -> None:
    """As `-H "authorization: Bearer $TOKEN"` sends it."""
    command = ["curl", "--disable", "--noproxy", "*", "--silent", "--show-error", "--http2"]
    command += ["--output", os.devnull, "--write-out", "%{http_code} %{http_version}"]
    for name, value in {**api.target.headers, "authorization": "Bearer "}.items():
        command += ["--header", f"{name}: {value}"]
    command += [f"{api.target.base_url}/v1/items"]
    done = subprocess.run(
        command, env={**os.environ, **emulator}, capture_output=True, text=True, check=False
    )
    assert done.stdout == "401 2", done.stderr


def test_the_token_itself_is_good(me: SignedIn) -> None:
    assert attempt(me.api, "listItems", token=me.tokens.access) == 200
    assert attempt(me.api, "createItem", token=me.tokens.access) == 201


def test_a_bent_signature_is_refused(me: SignedIn) -> None:
    refused_everywhere(me.api, forgery.with_bent_signature(me.tokens.access))


def test_another_username_under_the_old_signature_is_refused(
    me: SignedIn, someone_else: SignedIn
) -> None:
    token = me.tokens.access
    refused_everywhere(
        me.api, forgery.with_claims(token, {"username": someone_else.person.username})
    )
    refused_everywhere(
        me.api, forgery.with_claims(token, {"exp": forgery.claims(token)["exp"] + 3600})
    )


def test_a_token_that_asks_not_to_be_checked_is_refused(me: SignedIn) -> None:
    refused_everywhere(me.api, forgery.unsigned(me.tokens.access))


def test_a_token_signed_by_a_key_of_ones_own_is_refused(me: SignedIn) -> None:
    token = me.tokens.access

    forged = forgery.signed(forgery.made_up_key(), forgery.header(token), forgery.claims(token))

    refused_everywhere(me.api, forged)


@pytest.mark.each_region
def test_an_id_token_is_no_access_token(me: SignedIn) -> None:
    refused_everywhere(me.api, me.tokens.id)


def test_a_refresh_token_is_no_access_token(me: SignedIn) -> None:
    refused_everywhere(me.api, me.tokens.refresh)


@pytest.mark.emulated_only(
    "only the emulator's pool lets anyone sign with its key; a real one has to be waited for "
    "until a token of the app's own client expires"
)
def test_an_expired_token_is_refused(me: SignedIn, pool_key: rsa.RSAPrivateKey) -> None:
    token = me.tokens.access
    now = int(time.time())

    def lasting_until(moment: int) -> str:
        times = {"iat": now - 7200, "auth_time": now - 7200, "exp": moment}
        return forgery.signed(pool_key, forgery.header(token), {**forgery.claims(token), **times})

    assert attempt(me.api, "listItems", token=lasting_until(now + 600)) == 200
    refused_everywhere(me.api, lasting_until(now - 1))


@pytest.fixture
def other_pool(pool: Pool) -> Iterator[Pool]:
    """A pool like ours beside ours: anyone with an AWS account can make one."""
    cognito = pool.cognito
    pool_id = cognito.create_user_pool(PoolName=f"e2e-{uuid.uuid4()}", AliasAttributes=["email"])[
        "UserPool"
    ]["Id"]
    try:
        yield Pool(cognito, pool_id, srp_client(cognito, pool_id))
    finally:
        cognito.delete_user_pool(UserPoolId=pool_id)


def srp_client(cognito: CognitoIdentityProviderClient, pool_id: str) -> str:
    return cognito.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName=f"e2e-{uuid.uuid4()}",
        ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]["ClientId"]


@pytest.mark.each_region
def test_another_pools_token_is_refused(api: Api, other_pool: Pool) -> None:
    person = stranger()
    other_pool.add(person)

    refused_everywhere(api, other_pool.sign_in(person).access)


@pytest.mark.each_region
def test_another_clients_token_is_refused(me: SignedIn, pool: Pool) -> None:
    client_id = srp_client(pool.cognito, pool.pool_id)
    try:
        token = pool.sign_in(me.person, client_id).access
        assert forgery.claims(token)["client_id"] == client_id
        refused_everywhere(me.api, token)
        refused = me.api.send("GET", "/v1/items", token=token)
        # The function refuses it, and the gateway gives its challenge another name.
        assert refused.headers["x-amzn-remapped-www-authenticate"] == "Bearer"
        assert "www-authenticate" not in refused.headers
    finally:
        pool.cognito.delete_user_pool_client(UserPoolId=pool.pool_id, ClientId=client_id)


def test_a_token_without_a_scope_of_the_api_is_refused(
    me: SignedIn, hosted_sign_in: HostedSignIn
) -> None:
    token = hosted_sign_in.access_token(me.person, "openid email")

    assert set(forgery.claims(token)["scope"].split()) == {"openid", "email"}
    refused_everywhere(me.api, token)


@pytest.mark.each_region
def test_a_scope_opens_its_own_operations_and_no_others(
    me: SignedIn, hosted_sign_in: HostedSignIn
) -> None:
    reading = hosted_sign_in.access_token(me.person, "openid items/read")
    writing = hosted_sign_in.access_token(me.person, "openid items/write")

    def statuses(token: str) -> dict[str, int]:
        return {name: attempt(me.api, name, token=token) for name in GUARDED}

    reads, writes = statuses(reading), statuses(writing)
    may_read = {name for name, status in reads.items() if status not in (401, 403)}
    may_write = {name for name, status in writes.items() if status not in (401, 403)}

    assert may_read == {"listItems", "getItem"}
    assert may_write == {"createItem", "replaceItem", "patchItem", "deleteItem", "deleteMe"}
