"""Each action of the functions' roles is needed: without any one of them something breaks.

The actions are read from the deployed roles, so that a new one without a proof fails here.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.e2e import forgery
from tests.support.api import etag_of
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from tests.e2e.account_operator import Operator
    from tests.support.api import Api, SignedIn

pytestmark = [
    pytest.mark.own_names,
    pytest.mark.alone,
    pytest.mark.emulated_only("it takes permissions away from the functions that serve everybody"),
]


def statements(policy: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from policy["Statement"]


def actions(statement: dict[str, Any]) -> list[str]:
    action = statement["Action"]
    return [action] if isinstance(action, str) else list(action)


def grants(policy: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (statement for statement in statements(policy) if statement["Effect"] == "Allow")


def without(policy: dict[str, Any], action: str, sid: str | None = None) -> dict[str, Any]:
    """The policy less one action, in one statement or all; one that is left with none goes too."""
    kept = [
        {**statement, "Action": [other for other in actions(statement) if other != action]}
        if sid in (None, statement["Sid"])
        else statement
        for statement in statements(policy)
    ]
    return {**policy, "Statement": [statement for statement in kept if statement["Action"]]}


@dataclass(frozen=True, slots=True)
class Scene:
    """A person with one item, to try things on, and one who has left."""

    me: SignedIn
    someone: SignedIn
    item_id: str
    etag: str


def sub_of(who: SignedIn) -> str:
    return str(forgery.claims(who.tokens.access)["sub"])


def reads(scene: Scene) -> int:
    path = f"/v1/items/{scene.item_id}"
    return scene.me.send("GET", path, fault_expected=True).status_code


def lists(scene: Scene) -> int:
    return scene.me.send("GET", "/v1/items", fault_expected=True).status_code


def creates(scene: Scene) -> int:
    return scene.me.create({"title": "New"}, str(uuid.uuid4()), fault_expected=True).status_code


def deletes_all(scene: Scene) -> int:
    """Delete all of somebody else, so that the scene's own person goes on making items."""
    return scene.someone.delete_all(fault_expected=True).status_code


def changes(scene: Scene) -> int:
    return scene.me.send(
        "PATCH",
        f"/v1/items/{scene.item_id}",
        headers={"content-type": "application/merge-patch+json", "if-match": "*"},
        body='{"notes": "changed"}',
        fault_expected=True,
    ).status_code


# What a caller sees break: an action, the statement that grants it, and a request that needs it.
SEEN_BY_A_REQUEST: list[tuple[str, str, Callable[[Scene], int]]] = [
    ("dynamodb:GetItem", "Items", reads),
    ("dynamodb:PutItem", "Items", creates),
    ("dynamodb:UpdateItem", "Items", creates),
    ("dynamodb:Query", "Lists", lists),
    ("dynamodb:Query", "OwnersItems", deletes_all),
    ("dynamodb:BatchWriteItem", "OwnersItems", deletes_all),
]

# The same for the health function, and what health checkers see.
SEEN_BY_A_HEALTH_CHECK = [
    ("dynamodb:GetItem", "RegionsOwnItems"),
    ("dynamodb:UpdateItem", "RegionsOwnItems"),
]

# What the emulator lets nobody see: it decrypts nothing in the function's name, writes its log
# itself and takes traces from whoever sends them. For these AWS's own policy evaluation is
# asked instead.
SEEN_BY_THE_EVALUATION = {
    "kms:Decrypt",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
TRACES = {action for action in SEEN_BY_THE_EVALUATION if action.startswith("xray:")}
# A second for which an answer is kept, and three in which the probe needn't write.
READINESS_SECONDS = 10


@pytest.fixture
def scene(me: SignedIn, someone_else: SignedIn) -> Scene:
    created = me.create({"title": "Here before"}, str(uuid.uuid4()))
    return Scene(me, someone_else, created.json()["id"], etag_of(created))


@pytest.fixture
def region(me: SignedIn) -> str:
    assert me.api.target.region
    return me.api.target.region


@dataclass(frozen=True, slots=True)
class Role:
    """A function's role, and its one policy."""

    name: str
    policy_name: str
    policy: dict[str, Any]


def role_of(operator: Operator, name: str) -> Role:
    [(policy_name, policy)] = operator.policies(name).items()
    return Role(name, policy_name, policy)


@pytest.fixture
def users(operator: Operator, region: str) -> Role:
    """What the users' function may do."""
    return role_of(operator, operator.stacks[region].role)


@pytest.fixture
def health(operator: Operator, region: str) -> Role:
    """What the health function may do."""
    return role_of(operator, operator.stacks[region].health_role)


def granted(role: Role) -> set[tuple[str, str]]:
    return {(action, one["Sid"]) for one in grants(role.policy) for action in actions(one)}


def test_every_action_has_a_proof_and_none_is_a_wildcard(users: Role, health: Role) -> None:
    seen = {(action, sid) for action, sid, _ in SEEN_BY_A_REQUEST}
    for role, proven, evaluated in (
        (users, seen, SEEN_BY_THE_EVALUATION),
        (health, set(SEEN_BY_A_HEALTH_CHECK), SEEN_BY_THE_EVALUATION - TRACES),
    ):
        assert {one for one in granted(role) if one[0].startswith("dynamodb:")} == proven
        assert {action for action, _ in granted(role) - proven} == evaluated
        assert not [action for action, _ in granted(role) if "*" in action]


def test_only_what_knows_no_resource_is_granted_on_all(
    users: Role, health: Role, region: str
) -> None:
    for statement in (*statements(users.policy), *statements(health.policy)):
        resources = statement["Resource"]
        named = [resources] if isinstance(resources, str) else resources
        if "*" in named:
            assert {action.split(":")[0] for action in actions(statement)} == {"xray"}
        else:
            assert all(f":{region}:" in resource for resource in named)


@pytest.mark.parametrize(
    ("action", "sid", "request_of"),
    SEEN_BY_A_REQUEST,
    ids=[f"{action}-{sid}-{request.__name__}" for action, sid, request in SEEN_BY_A_REQUEST],
)
def test_without_it_a_request_fails(
    scene: Scene,
    operator: Operator,
    users: Role,
    region: str,
    action: str,
    sid: str,
    request_of: Callable[[Scene], int],
) -> None:
    request = request_of
    operator.leave_a_row(region, scene.someone.person, sub_of(scene.someone))
    assert request(scene) < 300
    operator.leave_a_row(region, scene.someone.person, sub_of(scene.someone))

    with operator.policy(users.name, users.policy_name, without(users.policy, action, sid)):
        assert request(scene) == 503

    assert request(scene) < 300


@pytest.mark.parametrize(("action", "sid"), SEEN_BY_A_HEALTH_CHECK)
def test_without_it_the_region_is_not_ready(
    api: Api, operator: Operator, health: Role, action: str, sid: str
) -> None:
    assert ready(api) == 200

    with operator.policy(health.name, health.policy_name, without(health.policy, action, sid)):
        eventually(lambda: ready(api), lambda status: status == 503, READINESS_SECONDS)

    eventually(lambda: ready(api), lambda status: status == 200, READINESS_SECONDS)


@pytest.mark.parametrize("whose", ["users", "health"])
@pytest.mark.parametrize("action", sorted(SEEN_BY_THE_EVALUATION))
def test_without_it_the_role_may_not(
    operator: Operator, users: Role, health: Role, region: str, action: str, whose: str
) -> None:
    policy = (users if whose == "users" else health).policy
    if whose == "health" and action in TRACES:
        assert not operator.allows(policy, action, "*")
        return
    grant = next(s for s in grants(policy) if action in actions(s))
    resource = grant["Resource"].replace(":log-stream:*", ":log-stream:any")
    # The evaluator of the emulator knows no context, so conditions are looked at on their own.
    bare = {**policy, "Statement": [{**s, "Condition": {}} for s in grants(policy)]}

    assert operator.allows(bare, action, resource)
    assert not operator.allows(without(bare, action), action, resource)
    if resource != "*":
        assert not operator.allows(bare, action, resource.replace(f":{region}:", ":eu-north-1:"))


@pytest.mark.parametrize("operation", ["put", "update", "batch"])
def test_the_users_function_may_not_write_what_others_do(
    me: SignedIn, operator: Operator, users: Role, region: str, operation: str
) -> None:
    """Whose items are whose, an operator says; and of Regions it may write nothing at all.

    With the function's own policy, though in a user's hands: nobody else may be its role.
    """
    own = {"owner": {"S": me.person.owner}, "item_id": {"S": f"owner#{uuid.uuid4()}"}}
    # Beside the row that says which Region writes, which the function reads.
    rows: list[dict[str, Any]] = [
        {"owner": {"S": f"region#{one}"}, "item_id": {"S": f"e2e-{uuid.uuid4()}"}}
        for one in operator.stacks
    ]

    def write(client: DynamoDBClient, key: dict[str, Any], attribute: str) -> None:
        item: Any = {**key, attribute: {"SS": ["x"]}}
        if operation == "put":
            client.put_item(TableName=operator.table, Item=item)
        elif operation == "batch":
            client.batch_write_item(RequestItems={operator.table: [{"PutRequest": {"Item": item}}]})
        else:
            client.update_item(
                TableName=operator.table,
                Key=key,
                UpdateExpression="ADD #a :subs",
                ExpressionAttributeNames={"#a": attribute},
                ExpressionAttributeValues={":subs": {"SS": ["x"]}},
            )

    with operator.acting_by(region, users.policy) as client:
        write(client, own, "anything_else")
        for key, attribute in ((own, "accepted_subs"), *((row, "writer") for row in rows)):
            with pytest.raises(ClientError) as refused:
                write(client, key, attribute)
            assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
        for row in rows:
            client.get_item(TableName=operator.table, Key=row)


def test_the_health_function_reaches_the_regions_own_items_and_reads_the_switch(
    me: SignedIn, operator: Operator, health: Role, region: str
) -> None:
    def key(owner: str) -> dict[str, Any]:
        return {"owner": {"S": owner}, "item_id": {"S": f"e2e-{uuid.uuid4()}"}}

    def update(client: DynamoDBClient, key: dict[str, Any], attribute: str) -> None:
        client.update_item(
            TableName=operator.table,
            Key=key,
            UpdateExpression="SET #a = :value",
            ExpressionAttributeNames={"#a": attribute},
            ExpressionAttributeValues={":value": {"BOOL": True}},
        )

    own = key(f"region#{region}")
    elsewhere = {*operator.stacks, "eu-north-1"} - {region}
    others = [key(me.person.owner), *(key(f"region#{each}") for each in sorted(elsewhere))]
    with operator.acting_by(region, health.policy) as client:
        update(client, own, "checked_at")
        client.get_item(TableName=operator.table, Key=own)
        refusals: list[Callable[[], object]] = [
            lambda said=said: update(client, own, said)  # type: ignore[misc]
            for said in (
                "active",
                "changed_at",
                "next_at",
                "next_writer",
                "paused",
                "paused_at",
                "writer",
            )
        ]
        for other in others:
            refusals += [
                lambda other=other: update(client, other, "checked_at"),  # type: ignore[misc]
                lambda other=other: client.get_item(TableName=operator.table, Key=other),  # type: ignore[misc]
            ]
        for refused_call in refusals:
            with pytest.raises(ClientError) as refused:
                refused_call()
            assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    operator.dynamodb(region).delete_item(TableName=operator.table, Key=own)


def powerless(role: Role) -> dict[str, Any]:
    """A role's policy less all that it may do with the table."""
    policy = role.policy
    for action, _ in granted(role):
        policy = without(policy, action) if action.startswith("dynamodb:") else policy
    return policy


def test_a_region_that_may_not_use_its_table_says_so(
    scene: Scene, operator: Operator, users: Role, health: Role
) -> None:

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
            "delete all": deletes_all(scene),
        }

    with (
        operator.policy(users.name, users.policy_name, powerless(users)),
        operator.policy(health.name, health.policy_name, powerless(health)),
    ):
        assert set(statuses().values()) == {503}
        answer = scene.me.send("GET", "/v1/items", fault_expected=True)
        assert int(answer.headers["retry-after"]) > 0
        assert "dynamodb" not in answer.text.lower()
        eventually(lambda: ready(scene.me.api), lambda status: status == 503, READINESS_SECONDS)
        eventually(
            lambda: ready(scene.me.api, "HEAD"), lambda status: status == 503, READINESS_SECONDS
        )
        # What is shallow stays up: the function does answer.
        assert scene.me.send("GET", "/health").status_code == 200

    assert scene.me.get(scene.item_id).status_code == 200
    eventually(lambda: ready(scene.me.api), lambda status: status == 200, READINESS_SECONDS)


def ready(api: Api, method: str = "GET") -> int:
    return api.send(method, "/health/ready", fault_expected=True).status_code
