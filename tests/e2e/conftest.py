"""The fixtures: who answers, who asks, and who looks behind."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import boto3
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from project import resolver
from project.account import read_account
from project.environment import emulator_variables
from project.paths import TREE
from tests.e2e.account_operator import Operator, Stack
from tests.e2e.hosted_sign_in import HostedSignIn
from tests.e2e.plugin import EACH_REGION, OWN_NAMES, SEEN, TARGETS
from tests.support.api import Api, SignedIn, Target
from tests.support.deployment import ACCOUNT, EMULATED
from tests.support.deployment_lock import deployment_lock
from tests.support.users import Person, Pool, stranger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from project.deployment import Deployment


def targets(deployment: Deployment) -> dict[str, Target]:
    """The names in TARGETS, as this deployment has them."""
    key = {"x-origin-key": deployment.origin_key}
    primary, standby = deployment.regions
    return {
        # While nothing is wrong with it, the primary serves.
        "public": Target("public", deployment.api_url, primary.region),
        "primary": Target("primary", primary.url, primary.region, key),
        "standby": Target("standby", standby.url, standby.region, key),
    }


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what calls the API by the public name, and by others where it is marked so."""
    marks = {mark.name for mark in metafunc.definition.iter_markers()}
    if "api" in metafunc.fixturenames:
        metafunc.parametrize("api", _names(marks), indirect=True, scope="session")
    elif found := marks & {"each_name", "each_region", "own_names"}:
        marked = f"{metafunc.definition.nodeid} is marked {', '.join(found)}"
        raise pytest.UsageError(f"{marked}, and takes no `api`: it would run once.")


def _names(marks: set[str]) -> tuple[str, ...]:
    if "each_name" in marks:
        return TARGETS
    if "own_names" in marks:
        return OWN_NAMES
    return EACH_REGION if "each_region" in marks else TARGETS[:1]


@pytest.fixture(scope="session")
def emulator() -> Mapping[str, str]:
    """How to reach the embedded AWS, as environment variables say it; empty for a real account."""
    account = read_account(TREE, ACCOUNT)
    return emulator_variables(TREE, account) if EMULATED else {}


@pytest.fixture(scope="session")
def http(emulator: Mapping[str, str]) -> Iterator[requests.Session]:
    """HTTPS by name, every certificate checked."""
    with ExitStack() as open_ones:
        if EMULATED:
            open_ones.enter_context(resolver.installed())
        session = open_ones.enter_context(requests.Session())
        # Otherwise requests would take a proxy and a bundle of its own from the environment.
        session.trust_env = not EMULATED
        session.verify = emulator.get("REQUESTS_CA_BUNDLE", True)
        yield session


@pytest.fixture(scope="session")
def operator(deployment: Deployment, emulator: Mapping[str, str]) -> Operator:
    """The operator: on the emulator the emulator's, else whoever runs the tests."""
    stacks = {
        one.region: Stack(
            one.region,
            one.rest_api_id,
            one.stage_name,
            one.function_name,
            one.function_role_name,
            one.health_function_role_name,
        )
        for one in deployment.regions
    }
    return Operator(
        # None where a real account's own credentials are to be found in the usual places.
        session=boto3.Session(
            aws_access_key_id=emulator.get("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=emulator.get("AWS_SECRET_ACCESS_KEY"),
        ),
        endpoint=emulator.get("AWS_ENDPOINT_URL"),
        home_region=deployment.user_pool_id.partition("_")[0],
        table=deployment.table_name,
        stacks=stacks,
    )


@pytest.fixture(scope="session")
def pool(deployment: Deployment, operator: Operator) -> Pool:
    """The user pool, and the app's client of it."""
    return Pool(operator.cognito(), deployment.user_pool_id, deployment.user_pool_client_id)


@pytest.fixture(scope="session")
def apis(
    deployment: Deployment, http: requests.Session, pytestconfig: pytest.Config
) -> Mapping[str, Api]:
    """The API by every name in TARGETS."""
    seen = pytestconfig.stash[SEEN]
    return {name: Api(target, http, seen) for name, target in targets(deployment).items()}


@pytest.fixture(scope="session")
def api(request: pytest.FixtureRequest, apis: Mapping[str, Api]) -> Api:
    """The API by one of its names."""
    return apis[request.param]


@pytest.fixture
def elsewhere(api: Api, apis: Mapping[str, Api]) -> Api:
    """The API in the other Region."""
    return apis["primary" if api.target.name == "standby" else "standby"]


@pytest.fixture(autouse=True)
def _deployment_lock(request: pytest.FixtureRequest, deployment: Deployment) -> Iterator[None]:
    """Nobody runs beside a test that must be alone."""
    alone = request.node.get_closest_marker("alone") is not None
    with deployment_lock(deployment, alone=alone):
        yield


@contextmanager
def a_stranger(pool: Pool, operator: Operator) -> Iterator[Person]:
    """Somebody who hasn't signed up. Whatever is made of them is removed in the end."""
    person = stranger()
    try:
        yield person
    finally:
        pool.remove(person)
        operator.forget(person)


@contextmanager
def signed_in(api: Api, pool: Pool, operator: Operator) -> Iterator[SignedIn]:
    """Somebody new with an account, signed in."""
    with a_stranger(pool, operator) as person:
        pool.add(person)
        yield SignedIn(api, person, pool.sign_in(person))


@pytest.fixture
def newcomer(pool: Pool, operator: Operator) -> Iterator[Person]:
    """Somebody who hasn't signed up."""
    with a_stranger(pool, operator) as person:
        yield person


@pytest.fixture
def person(newcomer: Person, pool: Pool) -> Person:
    """Somebody with an account."""
    pool.add(newcomer)
    return newcomer


@pytest.fixture
def me(api: Api, person: Person, pool: Pool) -> SignedIn:
    """Somebody signed in."""
    return SignedIn(api, person, pool.sign_in(person))


@pytest.fixture
def someone_else(api: Api, pool: Pool, operator: Operator) -> Iterator[SignedIn]:
    """Somebody else, signed in."""
    with signed_in(api, pool, operator) as other:
        yield other


@pytest.fixture
def pool_key(pool: Pool) -> rsa.RSAPrivateKey:
    """The key that the emulator's pool signs access tokens with. No real pool gives it away."""
    assert EMULATED
    file = TREE.local_state / "state" / "cognito-pool-keys" / f"{pool.pool_id}-access.pem"
    key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


@pytest.fixture
def hosted_sign_in(pool: Pool, emulator: Mapping[str, str]) -> HostedSignIn:
    """The pool's hosted sign-in page."""
    described = pool.cognito.describe_user_pool(UserPoolId=pool.pool_id)["UserPool"]
    client = pool.cognito.describe_user_pool_client(
        UserPoolId=pool.pool_id, ClientId=pool.client_id
    )["UserPoolClient"]
    region = pool.pool_id.partition("_")[0]
    url = f"https://{described['Domain']}.auth.{region}.amazoncognito.com"
    return HostedSignIn(
        emulator.get("AWS_ENDPOINT_URL", url),
        pool.client_id,
        client["CallbackURLs"][0],
        requests.Session(),
    )
