"""What a KMS key's policy lets a service do: as much of a policy as keys for logs need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

Statement = Mapping[str, Any]

# Condition operators of a policy (IAM's reference_policies_elements_condition_operators).
# For an ARN equals and like are the same; none of these keys' conditions names another.
OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "ArnEquals": fnmatchcase,
    "ArnLike": fnmatchcase,
    "StringEquals": str.__eq__,
    "StringLike": fnmatchcase,
}


def allows(policy: Statement, service: str, action: str, context: Mapping[str, str]) -> bool:
    """Whether the policy lets a service do this with the key, in this request's context.

    A condition by an operator that isn't known here holds for nobody.
    """
    found = [
        statement["Effect"]
        for statement in policy.get("Statement", ())
        if _is_for(statement, service, action) and _holds(statement, context)
    ]
    return "Allow" in found and "Deny" not in found


def _is_for(statement: Statement, service: str, action: str) -> bool:
    principal = statement.get("Principal", {})
    services = ["*"] if principal == "*" else _listed(principal.get("Service", ()))
    return any(fnmatchcase(service, each) for each in services) and any(
        fnmatchcase(action, each) for each in _listed(statement["Action"])
    )


def _holds(statement: Statement, context: Mapping[str, str]) -> bool:
    return all(
        key in context and any(_compare(operator, context[key], each) for each in _listed(values))
        for operator, keys in (statement.get("Condition") or {}).items()
        for key, values in keys.items()
    )


def _compare(operator: str, value: str, pattern: str) -> bool:
    compare = OPERATORS.get(operator)
    return compare is not None and compare(value, pattern)


def _listed(value: Any) -> list[str]:  # noqa: ANN401 - a string or a list of them
    return [value] if isinstance(value, str) else list(value)
