"""Each action of the function's role is needed: without any one of them something breaks.

The actions are read from the deployed role, so that a new one without a proof fails here.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.api import etag_of
from tests.e2e.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.account_operator import Operator
    from tests.e2e.api import SignedIn

pytestmark = [
    pytest.mark.alone,
    pytest.mark.bench_only("it takes permissions away from the function that serves everybody"),
]


def statements(policy: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from policy["Statement"]


def actions(statement: dict[str, Any]) -> list[str]:
    action = statement["Action"]
    return [action] if isinstance(action, str) else list(action)


def without(policy: dict[str, Any], action: str) -> dict[str, Any]:
    """The policy less one action; a statement that is left with none goes too."""
    kept = [
        {**statement, "Action": [other for other in actions(statement) if other != action]}
        for statement in statements(policy)
    ]
    return {**policy, "Statement": [statement for statement in kept if statement["Action"]]}


@dataclass(frozen=True, slots=True)
class Scene:
    """A person with one item, to try things on."""

    me: SignedIn
    item_id: str
    etag: str


def reads(scene: Scene) -> int:
    path = f"/v1/items/{scene.item_id}"
    return scene.me.send("GET", path, fault_expected=True).status_code


def lists(scene: Scene) -> int:
    return scene.me.send("GET", "/v1/items", fault_expected=True).status_code


def creates(scene: Scene) -> int:
    return scene.me.create({"title": "New"}, str(uuid.uuid4()), fault_expected=True).status_code


def deletes(scene: Scene) -> int:
    """Delete an item of its own, since the scene is played more than once."""
    made = scene.me.create({"title": "Short-lived"}, str(uuid.uuid4()))
    path = f"/v1/items/{made.json()['id']}"
    return scene.me.send("DELETE", path, fault_expected=True).status_code


def changes(scene: Scene) -> int:
    return scene.me.send(
        "PATCH",
        f"/v1/items/{scene.item_id}",
        headers={"content-type": "application/merge-patch+json", "if-match": "*"},
        body='{"notes": "changed"}',
        fault_expected=True,
    ).status_code


# What a caller sees break. An action stands here with the request that needs it.
SEEN_BY_A_REQUEST: dict[str, Callable[[Scene], int]] = {
    "dynamodb:GetItem": reads,
    "dynamodb:Query": lists,
    "dynamodb:PutItem": creates,
    "dynamodb:UpdateItem": deletes,
}

# What the bench lets nobody see: it decrypts nothing in the function's name, writes the function's
# log itself and takes traces from whoever sends them. For these AWS's own policy evaluation is
# asked instead.
SEEN_BY_THE_EVALUATION = {
    "kms:Decrypt",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}


@pytest.fixture
def scene(me: SignedIn) -> Scene:
    created = me.create({"title": "Here before"}, str(uuid.uuid4()))
    return Scene(me, created.json()["id"], etag_of(created))


@pytest.fixture
def region(me: SignedIn) -> str:
    assert me.api.target.region
    return me.api.target.region


def test_every_action_has_a_proof_and_none_is_a_wildcard(operator: Operator, region: str) -> None:
    policies = operator.function_policies(region)
    granted = {a for policy in policies.values() for s in statements(policy) for a in actions(s)}

    assert len(policies) == 1
    assert granted == SEEN_BY_A_REQUEST.keys() | SEEN_BY_THE_EVALUATION
    assert not [action for action in granted if "*" in action]


def test_only_what_knows_no_resource_is_granted_on_all(operator: Operator, region: str) -> None:
    for policy in operator.function_policies(region).values():
        for statement in statements(policy):
            resources = statement["Resource"]
            named = [resources] if isinstance(resources, str) else resources
            if "*" in named:
                assert {action.split(":")[0] for action in actions(statement)} == {"xray"}
            else:
                assert all(f":{region}:" in resource for resource in named)


@pytest.mark.parametrize("action", SEEN_BY_A_REQUEST)
def test_without_it_a_request_fails(
    scene: Scene, operator: Operator, region: str, action: str
) -> None:
    request = SEEN_BY_A_REQUEST[action]
    name, policy = next(iter(operator.function_policies(region).items()))
    assert request(scene) < 300

    with operator.function_policy(region, name, without(policy, action)):
        assert request(scene) == 503

    assert request(scene) < 300


@pytest.mark.parametrize("action", sorted(SEEN_BY_THE_EVALUATION))
def test_without_it_the_role_may_not(operator: Operator, region: str, action: str) -> None:
    policy = next(iter(operator.function_policies(region).values()))
    grant = next(s for s in statements(policy) if action in actions(s))
    resource = grant["Resource"].replace(":log-stream:*", ":log-stream:any")
    # The evaluator of the bench knows no context, so conditions are looked at on their own.
    bare = {**policy, "Statement": [{**s, "Condition": {}} for s in statements(policy)]}

    assert operator.allows(bare, action, resource)
    assert not operator.allows(without(bare, action), action, resource)
    if resource != "*":
        assert not operator.allows(bare, action, resource.replace(f":{region}:", ":eu-north-1:"))


def test_a_region_that_may_not_use_its_table_says_so(
    scene: Scene, operator: Operator, region: str
) -> None:
    name, policy = next(iter(operator.function_policies(region).items()))
    powerless = policy
    for action in SEEN_BY_A_REQUEST:
        powerless = without(powerless, action)

    def statuses() -> dict[str, int]:
        path, headers = f"/v1/items/{scene.item_id}", {"content-type": "application/json"}
        change = {**headers, "if-match": "*"}
        body = json.dumps({"title": "x"})
        send = scene.me.send
        return {
            "create": creates(scene),
            "list": lists(scene),
            "get": reads(scene),
            "put": send("PUT", path, headers=change, body=body, fault_expected=True).status_code,
            "patch": changes(scene),
            "delete": send("DELETE", path, fault_expected=True).status_code,
        }

    with operator.function_policy(region, name, powerless):
        assert set(statuses().values()) == {503}
        answer = scene.me.send("GET", "/v1/items", fault_expected=True)
        assert int(answer.headers["retry-after"]) > 0
        assert "dynamodb" not in answer.text.lower()
        eventually(lambda: ready(scene), lambda status: status == 503, within=10)
        # What is shallow stays up: the function does answer.
        assert scene.me.send("GET", "/health").status_code == 200

    assert scene.me.get(scene.item_id).status_code == 200
    eventually(lambda: ready(scene), lambda status: status == 200, within=10)


def ready(scene: Scene) -> int:
    return scene.me.api.send("GET", "/health/ready", fault_expected=True).status_code
