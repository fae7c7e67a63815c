"""What Lambda's aliases do with weights, and what they refuse."""

import asyncio
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import lambda_svc

from local.observability.metrics.lambda_metrics import Observer
from local.observability.metrics.recorder import Recorder
from local.patches import lambda_aliases

SCOPE = ("333333333333", "eu-west-1")
ARN = "arn:aws:lambda:eu-west-1:333333333333:function:f"
PATCHED = (
    *("_invoke", "_execute_function", "_get_func_record_for_ref", "_create_alias"),
    *("_update_alias", "_put_provisioned_concurrency", "_publish_version"),
)
Record = dict[str, Any]


def _config(**changed: Any) -> Record:
    config = {"FunctionName": "f", "FunctionArn": ARN, "Version": "$LATEST", "RevisionId": "r"}
    return {**config, "Role": "role", "CodeSha256": "new", "State": "Active", **changed}


def _published(version: str, **changed: Any) -> Record:
    changed = {"RevisionId": f"r{version}", "FunctionArn": f"{ARN}:{version}", **changed}
    return {"config": _config(Version=version, **changed), "code_zip": b""}


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Iterator[Record]:
    """A function of three versions, of which the last may not stand beside the others."""
    for name in PATCHED:
        monkeypatch.setattr(lambda_svc, name, getattr(lambda_svc, name))
    record = {
        "config": _config(),
        "code_zip": b"",
        "versions": {
            "1": _published("1", CodeSha256="old"),
            "2": _published("2"),
            "3": _published("3", CodeSha256="newer", Role="another"),
        },
        "next_version": 4,
        "aliases": {"live": {"Name": "live", "FunctionVersion": "1", "RevisionId": "a"}},
        "provisioned_concurrency": {},
    }
    with request_scope(*SCOPE):
        lambda_svc._functions["f"] = record
        yield record
        del lambda_svc._functions["f"]


def _route(function: Record, weights: dict[str, float]) -> None:
    function["aliases"]["live"]["RoutingConfig"] = {"AdditionalVersionWeights": weights}


def _answer(answer: tuple[int, Any, bytes]) -> tuple[int, Record]:
    return answer[0], json.loads(answer[2] or b"null")


def _called(reference: str) -> str:
    _, config, _ = lambda_svc._get_func_record_for_ref(reference)
    assert config is not None
    return str(config["Version"])


def test_ministack_still_needs_aliases_that_share_calls_by_weight(function: Record) -> None:
    _route(function, {"2": 1.0})

    assert _called(f"{ARN}:live") == "1"


@pytest.mark.parametrize("reference", [f"{ARN}:live", "f:live"])
@pytest.mark.parametrize(("drawn", "version"), [(0.09, "2"), (0.1, "1"), (0.9, "1")])
def test_a_call_goes_to_one_version_or_the_other_by_chance(
    function: Record, monkeypatch: pytest.MonkeyPatch, reference: str, drawn: float, version: str
) -> None:
    lambda_aliases.aliases_share_calls_by_weight()
    monkeypatch.setattr(random, "random", lambda: drawn)
    _route(function, {"2": 0.1})

    assert _called(reference) == version


@pytest.mark.parametrize(
    ("reference", "version"), [("f", "$LATEST"), ("f:1", "1"), ("f:2", "2"), ("f:live", "1")]
)
def test_nobody_draws_where_there_are_no_weights(
    function: Record, reference: str, version: str
) -> None:
    lambda_aliases.aliases_share_calls_by_weight()
    assert _called(reference) == version

    record, config, _ = lambda_svc._get_func_record_for_ref("f:nobody")
    assert (record, config) == (None, None)


@pytest.mark.parametrize(
    ("asked", "executed", "arn"),
    [
        ({"Qualifier": "live"}, "2", f"{ARN}:live"),
        ({"Qualifier": "1"}, "1", f"{ARN}:1"),
        ({}, "$LATEST", ARN),
    ],
)
@pytest.mark.usefixtures("function")
def test_invoke_tells_the_version_that_ran_and_the_function_what_was_called(
    function: Record, monkeypatch: pytest.MonkeyPatch, asked: Record, executed: str, arn: str
) -> None:
    def execute(func: Record, _event: Any) -> Record:
        config = func["config"]
        return {"body": [config["Version"], config["FunctionArn"]]}

    monkeypatch.setattr(lambda_svc, "_execute_function", execute)
    lambda_aliases.aliases_share_calls_by_weight()
    _route(function, {"2": 1.0})

    status, headers, body = asyncio.run(lambda_svc._invoke("f", {}, {}, None, asked))

    assert (status, headers["X-Amz-Executed-Version"]) == (200, executed)
    assert json.loads(body) == [executed, arn]


def test_an_alias_by_path_is_resolved_as_well(
    function: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lambda_svc, "_execute_function", lambda _func, _event: {"body": None})
    lambda_aliases.aliases_share_calls_by_weight()
    _route(function, {"2": 1.0})

    _, headers, _ = asyncio.run(lambda_svc._invoke("f", {}, {}, "live"))

    assert headers["X-Amz-Executed-Version"] == "2"


def _measured(config: Record) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    recorder = Recorder()
    observer = Observer(recorder)
    observer.began(config)
    observer.ended(config, 5.0, failed=True)
    observer.throttled(config)
    return {(name, dimensions) for _, _, dimensions, name, *_ in recorder._counts}


def test_what_weights_have_chosen_is_measured_by_executed_version(function: Record) -> None:
    lambda_aliases.aliases_share_calls_by_weight()
    _, plain, _ = lambda_svc._get_func_record_for_ref("f:live")
    _route(function, {"2": 1.0})
    _, chosen, _ = lambda_svc._get_func_record_for_ref("f:live")
    assert plain is not None
    assert chosen is not None

    by_version = {
        (name, dimensions) for name, dimensions in _measured(chosen) if len(dimensions) == 3
    }

    dimensions = (("FunctionName", "f"), ("Resource", "f:2"), ("ExecutedVersion", "2"))
    assert by_version == {(name, dimensions) for name in ("Invocations", "Errors", "Duration")}
    assert all(len(dimensions) < 3 for _, dimensions in _measured(plain))


def test_ministack_still_needs_aliases_that_are_checked(function: Record) -> None:
    routing = {"AdditionalVersionWeights": {"9": 2.0}}
    data = {"Name": "other", "FunctionVersion": "9", "RoutingConfig": routing}

    assert lambda_svc._create_alias("f", data)[0] == 201


WRONG = [
    ("1", {"2": 0.1, "3": 0.1}, "InvalidParameterValueException", "greater than 1"),
    ("$LATEST", {"2": 0.1}, "InvalidParameterValueException", "pointing to more than 1 version"),
    ("2", {"2": 0.1}, "InvalidParameterValueException", "already included"),
    ("1", {"3": 0.1}, "InvalidParameterValueException", "same execution role"),
    ("1", {"9": 0.1}, "ResourceNotFoundException", f"{ARN}:9"),
    ("9", {}, "ResourceNotFoundException", f"{ARN}:9"),
    ("1", {"2": 1.1}, "ValidationException", "less than or equal to 1.0"),
    ("1", {"2": -0.1}, "ValidationException", "greater than or equal to 0.0"),
    ("1", {"$LATEST": 0.1}, "ValidationException", "[0-9]+"),
]


@pytest.mark.parametrize(("version", "weights", "code", "message"), WRONG)
def test_an_alias_that_aws_refuses_is_refused(
    function: Record, version: str, weights: dict[str, float], code: str, message: str
) -> None:
    lambda_aliases.aliases_are_checked()
    data = {
        "Name": "other",
        "FunctionVersion": version,
        "RoutingConfig": {"AdditionalVersionWeights": weights},
    }
    before = json.dumps(function["aliases"])

    for answer in (
        lambda_svc._create_alias("f", data),
        lambda_svc._update_alias("f", "live", data),
    ):
        status, document = _answer(answer)
        assert (status, document["__type"]) == (404 if "NotFound" in code else 400, code)
        assert message in document["message"]
    assert json.dumps(function["aliases"]) == before


def test_versions_with_different_dead_letter_queues_share_no_alias(function: Record) -> None:
    lambda_aliases.aliases_are_checked()
    function["versions"]["2"]["config"]["DeadLetterConfig"] = {"TargetArn": "arn:aws:sqs:q"}
    data = {"RoutingConfig": {"AdditionalVersionWeights": {"2": 0.1}}}

    assert lambda_svc._update_alias("f", "live", data)[0] == 400


def test_an_alias_takes_weights_and_loses_them_by_an_empty_map(function: Record) -> None:
    lambda_aliases.aliases_are_checked()
    routing = {"AdditionalVersionWeights": {"2": 0.1}}

    status, document = _answer(lambda_svc._update_alias("f", "live", {"RoutingConfig": routing}))
    assert (status, document["RoutingConfig"]) == (200, routing)

    data = {"FunctionVersion": "2", "RoutingConfig": {"AdditionalVersionWeights": {}}}
    status, document = _answer(lambda_svc._update_alias("f", "live", data))
    assert (status, document["FunctionVersion"]) == (200, "2")
    assert "RoutingConfig" not in document


def test_an_alias_does_not_move_onto_the_version_that_it_shares_calls_with(
    function: Record,
) -> None:
    lambda_aliases.aliases_are_checked()
    _route(function, {"2": 0.1})

    assert lambda_svc._update_alias("f", "live", {"FunctionVersion": "2"})[0] == 400


def test_ministack_still_checks_revisions_and_keeps_versions_that_an_alias_names(
    function: Record,
) -> None:
    _route(function, {"2": 0.1})
    stale = {"FunctionVersion": "2", "RevisionId": "older"}

    status, document = _answer(lambda_svc._update_alias("f", "live", stale))
    assert (status, document["__type"]) == (412, "PreconditionFailedException")
    for version in "12":
        assert lambda_svc._delete_function("f", {"Qualifier": version})[0] == 409


def test_ministack_still_needs_weights_that_exclude_provisioned_concurrency(
    function: Record,
) -> None:
    _route(function, {"2": 0.1})

    asked = {"ProvisionedConcurrentExecutions": 1}
    assert lambda_svc._put_provisioned_concurrency("f", "live", asked)[0] == 202


def test_weights_and_provisioned_concurrency_exclude_each_other(function: Record) -> None:
    lambda_aliases.aliases_are_checked()
    lambda_aliases.weights_exclude_provisioned_concurrency()
    asked = {"ProvisionedConcurrentExecutions": 1}
    routing = {"RoutingConfig": {"AdditionalVersionWeights": {"2": 0.1}}}

    _route(function, {"2": 0.1})
    status, document = _answer(lambda_svc._put_provisioned_concurrency("f", "live", asked))
    assert (status, document["message"]) == (400, lambda_aliases.WITH_PROVISIONED)

    _route(function, {})
    assert lambda_svc._put_provisioned_concurrency("f", "live", asked)[0] == 202
    assert lambda_svc._update_alias("f", "live", routing)[0] == 400
    assert lambda_svc._update_alias("f", "live", {"FunctionVersion": "2"})[0] == 200


def _same_as(function: Record, version: str) -> None:
    """Let $LATEST hold what a version does, as after an update that changes nothing."""
    function["versions"] = {version: function["versions"][version]}
    function["config"]["CodeSha256"] = function["versions"][version]["config"]["CodeSha256"]


def test_ministack_still_needs_unchanged_functions_that_publish_nothing(function: Record) -> None:
    _same_as(function, "2")

    assert _answer(lambda_svc._publish_version("f", {}))[1]["Version"] == "4"


def test_only_what_has_changed_is_published(function: Record) -> None:
    lambda_aliases.unchanged_functions_publish_nothing()
    _same_as(function, "2")
    assert _answer(lambda_svc._publish_version("f", {}))[1]["Version"] == "2"

    function["config"]["RevisionId"] = "of an update"
    assert _answer(lambda_svc._publish_version("f", {}))[1]["Version"] == "2"

    function["config"].update(MemorySize=256, RevisionId="of another")
    assert _answer(lambda_svc._publish_version("f", {}))[1]["Version"] == "4"


def test_the_first_version_is_published(function: Record) -> None:
    lambda_aliases.unchanged_functions_publish_nothing()
    function["versions"] = {}

    assert _answer(lambda_svc._publish_version("f", {}))[1]["Version"] == "4"
