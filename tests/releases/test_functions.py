"""Versions, aliases and their moves, by Lambda's API in memory."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from project.console import ToolchainError
from releases.functions import FailedVersionError, Functions, MovedMeanwhileError
from releases.versions import KINDS, Alias, Facts, Versions, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "us-east-1"
ROLE = "arn:aws:iam::123456789012:role/function"


def package(text: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        # Of no particular time: the same code has the same hash.
        archive.writestr(zipfile.ZipInfo("lambda_function.py"), text)
    return written.getvalue()


@pytest.fixture
def functions(mocked: None) -> Iterator[Functions]:
    """Both functions, with two versions each, of which the first serves."""
    del mocked
    session = boto3.session.Session()
    trust = session.client("iam", region_name=REGION)
    trust.create_role(RoleName="function", AssumeRolePolicyDocument="{}")
    found = Functions(session.client("lambda", region_name=REGION), "landing-dev", _no_wait)
    for kind in KINDS:
        found.client.create_function(
            FunctionName=found.name(kind),
            Runtime="python3.13",
            Role=ROLE,
            Handler="lambda_function.handler",
            Code={"ZipFile": package("1")},
            Environment={"Variables": {"CLIENT_IDS": "a,b"}},
            Publish=True,
        )
        found.client.update_function_code(
            FunctionName=found.name(kind), ZipFile=package("2"), Publish=True
        )
        found.client.create_alias(FunctionName=found.name(kind), Name="live", FunctionVersion="1")
    yield found
    for kind in KINDS:
        found.client.delete_function(FunctionName=found.name(kind))
    trust.delete_role(RoleName="function")


def _no_wait(_seconds: float) -> None:
    return None


def test_versions_and_aliases_are_read(functions: Functions) -> None:
    assert functions.newest() == Versions(2, 2)
    assert {kind: alias.version for kind, alias in functions.aliases().items()} == {
        "api": 1,
        "health": 1,
    }
    assert functions.environment("api", "live") == {"CLIENT_IDS": "a,b"}
    assert functions.companion(1, 9) == Versions(1, 1)


def test_a_fingerprint_tells_versions_apart(functions: Functions) -> None:
    one = fingerprint(functions.facts(Versions(1, 1)))
    assert one == fingerprint(functions.facts(Versions(1, 1)))
    assert one != fingerprint(functions.facts(Versions(2, 1)))
    assert one != fingerprint(functions.facts(Versions(1, 2)))


FACTS = Facts("abc", "h", "python3.13", ("arm64",), 1024, 10, {"A": "1"}, ("layer:1",), "None")


@pytest.mark.parametrize(
    "changed",
    [
        replace(FACTS, code_sha256="abd"),
        replace(FACTS, handler="g"),
        replace(FACTS, runtime="python3.14"),
        replace(FACTS, architectures=("x86_64",)),
        replace(FACTS, memory_mb=2048),
        replace(FACTS, timeout_seconds=11),
        replace(FACTS, environment={"A": "2"}),
        replace(FACTS, layers=("layer:2",)),
        replace(FACTS, snap_start="PublishedVersions"),
    ],
)
def test_each_setting_counts(changed: Facts) -> None:
    assert fingerprint({"api": FACTS, "health": FACTS}) != fingerprint(
        {"api": changed, "health": FACTS}
    )


def test_what_differs_by_region_does_not_count() -> None:
    def read(region: str) -> Facts:
        return Facts.of(
            {
                "CodeSha256": "abc",
                "MemorySize": 1024,
                "Timeout": 10,
                "Description": f"The API's in {region}.",
                "Role": f"arn:aws:iam::1:role/{region}",
                "FunctionArn": f"arn:aws:lambda:{region}:1:function:landing-dev-api:7",
                "Version": region,
                "Layers": [{"Arn": f"arn:aws:lambda:{region}:1:layer:extension:3"}],
            }
        )

    assert read("us-east-1") == read("us-west-2")


def test_an_alias_moves_by_shares_and_back(functions: Functions) -> None:
    before = functions.alias("api")
    shared = functions.move("api", before, 1, {2: 0.1})
    assert functions.alias("api") == shared
    assert dict(shared.weights) == {2: 0.1}

    whole = functions.move("api", shared, 2)
    assert (whole.version, dict(whole.weights)) == (2, {})
    assert functions.alias("api").weights == {}
    assert functions.alias("health").version == 1


def answering(*answers: Any) -> Functions:
    client = boto3.session.Session().client("lambda", region_name=REGION)
    stubber = Stubber(client)
    for method, answer, parameters in answers:
        if isinstance(answer, str):
            stubber.add_client_error(method, answer, expected_params=parameters)
        else:
            stubber.add_response(method, answer, parameters)
    stubber.activate()
    return Functions(client, "landing-dev", _no_wait)


UPDATE = {
    "FunctionName": "landing-dev-api",
    "Name": "live",
    "FunctionVersion": "2",
    "RoutingConfig": {"AdditionalVersionWeights": {}},
    "RevisionId": "seen",
}
LIVE = {"FunctionName": "landing-dev-api", "Name": "live"}


def test_an_alias_is_moved_only_from_where_it_was_seen(mocked: None) -> None:
    del mocked
    functions = answering(
        ("update_alias", "PreconditionFailedException", UPDATE),
        ("get_alias", {"FunctionVersion": "7", "RevisionId": "other"}, LIVE),
    )
    with pytest.raises(MovedMeanwhileError, match="leads to version 7, and is left there"):
        functions.move("api", Alias(1, {}, "seen"), 2)


def test_a_move_whose_answer_was_lost_has_been_made(mocked: None) -> None:
    del mocked
    functions = answering(
        ("update_alias", "PreconditionFailedException", UPDATE),
        ("get_alias", {"FunctionVersion": "2", "RevisionId": "next"}, LIVE),
    )
    assert functions.move("api", Alias(1, {}, "seen"), 2) == Alias(2, {}, "next")


def test_provisioned_concurrency_is_noticed(functions: Functions, mocked: None) -> None:
    del mocked
    asked = {"FunctionName": "landing-dev-api", "Qualifier": "live"}
    name = "get_provisioned_concurrency_config"
    none = answering((name, "ProvisionedConcurrencyConfigNotFoundException", asked))
    assert not none.has_provisioned_concurrency("api")
    some = answering((name, {"Status": "READY"}, asked))
    assert some.has_provisioned_concurrency("api")
    del functions


def state(kind: str, text: str) -> Any:
    asked = {"FunctionName": f"landing-dev-{kind}", "Qualifier": "2"}
    return ("get_function_configuration", {"State": text, "StateReason": "no room"}, asked)


def test_a_version_that_is_pending_is_waited_for(mocked: None) -> None:
    del mocked
    beats: list[int] = []
    functions = answering(
        state("api", "Pending"), state("api", "Pending"), state("api", "Active"),
        state("health", "Inactive"),
    )  # fmt: skip
    functions.await_active(Versions(2, 2), lambda: beats.append(1))
    assert len(beats) == 2


def test_a_version_that_failed_is_not_waited_for(mocked: None) -> None:
    del mocked
    with pytest.raises(FailedVersionError, match="no room"):
        answering(state("api", "Failed")).await_active(Versions(2, 2), lambda: None)


def test_a_function_without_versions_is_named(mocked: None) -> None:
    del mocked
    asked = {"FunctionName": "landing-dev-api"}
    functions = answering(
        ("list_versions_by_function", {"Versions": [{"Version": "$LATEST"}]}, asked)
    )
    with pytest.raises(ToolchainError, match="landing-dev-api has no published version"):
        functions.newest()
