"""Patches of Lambda's versions and aliases (lambda/latest/dg/configuring-alias-routing.html).

ministack keeps an alias' weights and calls nothing by them. Where AWS's page gives no words for an
error, they are those that its users report, or what another emulator compares with AWS.
"""

from __future__ import annotations

import contextvars
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import lambda_svc

Record = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
LATEST = "$LATEST"
WITH_PROVISIONED = "Alias with weights can not be used with Provisioned Concurrency"
# What a configuration says of itself, and nothing of what runs.
_ABOUT_ITSELF = frozenset(
    {
        *("Version", "FunctionArn", "RevisionId", "LastModified"),
        *("State", "StateReason", "StateReasonCode"),
        *("LastUpdateStatus", "LastUpdateStatusReason", "LastUpdateStatusReasonCode"),
    }
)
# The mark of a configuration that an alias' weights have chosen.
_CHOSEN = "_ChosenByWeight"


@dataclass(frozen=True, slots=True)
class _Call:
    """A call of an alias that has weights."""

    alias_arn: str


_call: contextvars.ContextVar[_Call | None] = contextvars.ContextVar("weighted_call", default=None)


def executed_version(config: Mapping[str, Any]) -> str | None:
    """Give the version that an alias' weights have chosen for an invocation, None without any."""
    return str(config["Version"]) if config.get(_CHOSEN) else None


def aliases_share_calls_by_weight() -> None:
    """An alias' second version is never called, whatever its weight.

    Each call goes to one of the two by chance. Invoke resolves an alias by itself, everybody else
    by the reference that they call; Cognito's triggers and event sources, which nothing here has,
    go on calling the alias' own version.
    """
    _by_invoke()
    _by_reference()


def _by_invoke() -> None:
    invoke: Callable[..., Awaitable[Answer]] = lambda_svc._invoke
    execute: Callable[[Record, Any], Record] = lambda_svc._execute_function

    async def invoke_chosen(
        name: str,
        event: Any,  # noqa: ANN401
        headers: dict[str, str],
        path_qualifier: str | None = None,
        query_params: dict[str, Any] | None = None,
    ) -> Answer:
        asked = path_qualifier or lambda_svc._qp_first(query_params or {}, "Qualifier")
        version = _choose(lambda_svc._functions.get(name), asked)
        if version is None:
            return await invoke(name, event, headers, path_qualifier, query_params)
        token = _call.set(_Call(f"{lambda_svc._func_arn(name)}:{asked}"))
        try:
            return await invoke(name, event, headers, version, query_params)
        finally:
            _call.reset(token)

    def execute_chosen(func: Record, event: Any) -> Record:  # noqa: ANN401
        call = _call.get()
        if call is None:
            return execute(func, event)
        config = {**func["config"], "FunctionArn": call.alias_arn, _CHOSEN: True}
        return execute({**func, "config": config}, event)

    lambda_svc._invoke = invoke_chosen
    lambda_svc._execute_function = execute_chosen


def _by_reference() -> None:
    get: Callable[[str], tuple[Record | None, Record | None, str]] = (
        lambda_svc._get_func_record_for_ref
    )

    def get_chosen(reference: str) -> tuple[Record | None, Record | None, str]:
        record, config, name = get(reference)
        function, _, _ = lambda_svc._get_base_func_record_for_ref(reference)
        _, qualifier = lambda_svc._resolve_name_and_qualifier(reference)
        version = _choose(function, qualifier)
        if version is None or function is None:
            return record, config, name
        chosen = function["versions"][version]
        return chosen, {**chosen["config"], _CHOSEN: True}, name

    lambda_svc._get_func_record_for_ref = get_chosen


def _choose(function: Record | None, qualifier: str | None) -> str | None:
    """Choose an alias' version for one call; None where it has no weights."""
    alias = (function or {}).get("aliases", {}).get(qualifier)
    weights = _weights(alias or {})
    if not weights:
        return None
    ((version, weight),) = weights.items()
    by_weight = random.random() < weight  # noqa: S311 - a share, no secret
    return version if by_weight else str(alias["FunctionVersion"])


def _weights(alias: Mapping[str, Any]) -> dict[str, float]:
    routing = alias.get("RoutingConfig") or {}
    return dict(routing.get("AdditionalVersionWeights") or {})


def aliases_are_checked() -> None:
    """An alias may name versions that aren't there, and have weights that AWS refuses."""
    create: Callable[[str, Record], Answer] = lambda_svc._create_alias
    update: Callable[[str, str, Record], Answer] = lambda_svc._update_alias

    def create_alias(name: str, data: Record) -> Answer:
        function = lambda_svc._functions.get(name)
        return (function and _refusal(name, function, data)) or create(name, data)

    def update_alias(name: str, alias_name: str, data: Record) -> Answer:
        function = lambda_svc._functions.get(name) or {}
        alias = function.get("aliases", {}).get(alias_name)
        if alias is None:
            return update(name, alias_name, data)
        provisioned = alias_name in function.get("provisioned_concurrency", {})
        # What the request leaves out stays: a version that is both the alias' own and its second
        # would come of moving an alias and leaving its weights.
        refused = _refusal(name, function, {**alias, **data}, provisioned=provisioned)
        return refused or update(name, alias_name, data)

    lambda_svc._create_alias = create_alias
    lambda_svc._update_alias = update_alias


def _refusal(
    name: str, function: Record, alias: Mapping[str, Any], *, provisioned: bool = False
) -> Answer | None:
    """Give AWS's refusal of an alias as it would be; None where all is well."""
    own, weights = str(alias.get("FunctionVersion", LATEST)), _weights(alias)
    for version in (own, *weights):
        if version != LATEST and version.isdecimal() and version not in function["versions"]:
            arn = f"{lambda_svc._func_arn(name)}:{version}"
            return _error("ResourceNotFoundException", f"Function not found: {arn}", 404)
    reason = _invalid_weights(weights)
    if reason:
        return _error("ValidationException", f"1 validation error detected: {reason}")
    reason = _wrong_weights(function, own, weights) if weights else None
    if weights and provisioned:
        # Of PutProvisionedConcurrencyConfig (below) people report it. Whether UpdateAlias refuses
        # as well, is documented nowhere: nobody here may count on either.
        reason = reason or WITH_PROVISIONED
    return _error("InvalidParameterValueException", reason) if reason else None


def _invalid_weights(weights: Mapping[str, float]) -> str | None:
    """What breaks AliasRoutingConfiguration's own constraints."""
    for version, weight in weights.items():
        value = f"Value '{{{version}={weight}}}' at 'routingConfig.additionalVersionWeights'"
        if not version.isdecimal():
            return (
                f"{value} failed to satisfy constraint: Map keys must satisfy constraint: [Member "
                "must satisfy regular expression pattern: [0-9]+]"
            )
        if not 0 <= weight <= 1:
            return (
                f"{value} failed to satisfy constraint: Map value must satisfy constraint: [Member "
                "must have value less than or equal to 1.0, Member must have value greater than or "
                "equal to 0.0]"
            )
    return None


def _wrong_weights(function: Record, own: str, weights: Mapping[str, float]) -> str | None:
    """What is wrong with these two versions together."""
    if len(weights) > 1:
        return "Number of items in AdditionalVersionWeights cannot be greater than 1"
    if own == LATEST:
        return "$LATEST is not supported for an alias pointing to more than 1 version"
    (second,) = weights
    if second == own:
        return (
            f"Invalid function version {own}. Function version {own} is already included in "
            "routing configuration."
        )
    one, other = (function["versions"][version]["config"] for version in (own, second))
    if one.get("Role") != other.get("Role"):
        return "Specified versions must be associated with the same execution role"
    if one.get("DeadLetterConfig") != other.get("DeadLetterConfig"):
        # AWS's words for it are unknown.
        return "Specified versions must have the same dead-letter queue configuration"
    return None


def weights_exclude_provisioned_concurrency() -> None:
    """An alias with weights gets provisioned concurrency (hashicorp/terraform#24957)."""
    put: Callable[[str, str, Record], Answer] = lambda_svc._put_provisioned_concurrency

    def put_provisioned_concurrency(name: str, qualifier: str, data: Record) -> Answer:
        function = lambda_svc._functions.get(name) or {}
        if _weights(function.get("aliases", {}).get(qualifier) or {}):
            return _error("InvalidParameterValueException", WITH_PROVISIONED)
        return put(name, qualifier, data)

    lambda_svc._put_provisioned_concurrency = put_provisioned_concurrency


def unchanged_functions_publish_nothing() -> None:
    """A function that was sent the code that it has is published once more.

    "Lambda doesn't publish a version if the function's configuration and code haven't changed
    since the last version" (API_PublishVersion); ministack compares revisions, which any update
    changes, and knows none of a version that CreateFunction has published.
    """
    publish: Callable[[str, Record], Answer] = lambda_svc._publish_version

    def publish_version(name: str, data: Record) -> Answer:
        function = lambda_svc._functions.get(name)
        versions = (function or {}).get("versions", {})
        latest = versions.get(max(versions, key=int, default=None))
        if function and latest and _runs(latest["config"]) == _runs(function["config"]):
            # By which ministack knows that nothing has changed.
            latest["function_revision"] = function["config"].get("RevisionId")
        return publish(name, data)

    lambda_svc._publish_version = publish_version


def _runs(config: Mapping[str, Any]) -> Record:
    """Of a configuration what runs: its code and its settings."""
    snap_start = (config.get("SnapStart") or {}).get("ApplyOn")
    return {
        **{name: value for name, value in config.items() if name not in _ABOUT_ITSELF},
        "SnapStart": snap_start,
    }


def _error(code: str, message: str, status: int = 400) -> Answer:
    answer: Answer = error_response_json(code, message, status)
    return answer


PATCHES = (
    aliases_share_calls_by_weight,
    aliases_are_checked,
    weights_exclude_provisioned_concurrency,
    unchanged_functions_publish_nothing,
)
