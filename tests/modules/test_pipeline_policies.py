"""What a pipeline's roles may do: enough for Terraform, and no data, no escape, no wildcard."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest

from project.paths import TREE

FOLDER = TREE.root / "modules" / "pipeline" / "policies"
# What the provider called while every unit was made and planned on the embedded AWS, and what kinds
# of resources there were. What it calls to change or remove one is known from AWS.
RECORDED = TREE.root / "tests" / "modules" / "terraform_actions.json"
# IAM knows it by another name, or asks for no right (sts), or only a user's own key is asked so.
OTHERWISE = {
    "cloudfront:CreateDistributionWithTags": "cloudfront:CreateDistribution",
    "sts:GetCallerIdentity": None,
    "iam:GetUser": None,
}
# A person's: what holds data, and what goes with it.
NEVER = frozenset(
    {
        "cognito-idp:DeleteUserPool",
        "dynamodb:CreateTableReplica",
        "dynamodb:DeleteTable",
        "dynamodb:DeleteTableReplica",
        "kms:ScheduleKeyDeletion",
        "route53:DeleteHostedZone",
        "s3:DeleteBucket",
        "s3:PutBucketPolicy",
    }
)
DATA = re.compile(
    r"dynamodb:(\w*Item\w*|Query|Scan|PartiQL\w+|ExportTable\w*)|kms:(Decrypt|Encrypt|GenerateDataKey\w*)"
    r"|logs:(Get|Filter|Start)\w*(Events|Query|Results)|cognito-idp:(Admin\w+|ListUsers\w*)"
    r"|lambda:Invoke\w*|secretsmanager:\w+|ssm:\w+|sts:Assume\w+|s3:GetObjectVersion"
)
READS = re.compile(r"\w[\w-]*:(Get|List|Describe)\w*|apigateway:GET")


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy's file."""

    name: str
    statements: list[dict[str, Any]]

    def actions(self, effect: str = "Allow") -> set[str]:
        """Every action with an effect."""
        found = (each["Action"] for each in self.statements if each["Effect"] == effect)
        return {action for actions in found for action in actions}

    def statement(self, sid: str) -> dict[str, Any]:
        """The statement of that name."""
        (found,) = (each for each in self.statements if each["Sid"] == sid)
        return found


POLICIES = {
    path.stem: Policy(path.stem, json.loads(path.read_text())["Statement"])
    for path in sorted(FOLDER.glob("*.json"))
}
EACH = pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
APPLIES = ("read", "apply-state", "apply-access", "apply-region", "apply-global", "release")


def allowed(*names: str) -> set[str]:
    return {action for name in names for action in POLICIES[name].actions()}


def recorded() -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(RECORDED.read_text())
    return found


def known() -> dict[str, list[str]]:
    """What AWS's reference says that a kind needs, for those that weren't there."""
    found: dict[str, dict[str, list[str]]] = json.loads(RECORDED.read_text())
    return found["known"]


def as_iam_has_it(actions: list[str]) -> set[str]:
    named = {OTHERWISE.get(action, action) for action in actions}
    return {action for action in named if action is not None}


@EACH
def test_no_action_is_a_wildcard(policy: Policy) -> None:
    assert not [action for action in policy.actions() | policy.actions("Deny") if "*" in action]


@EACH
def test_statements_have_names_of_their_own_and_actions_in_order(policy: Policy) -> None:
    names = [statement["Sid"] for statement in policy.statements]
    assert len(set(names)) == len(names)
    assert all(each["Action"] == sorted(set(each["Action"])) for each in policy.statements)


def test_who_plans_reads_and_sees_no_data() -> None:
    reads = allowed("read")
    assert [action for action in sorted(reads) if not READS.fullmatch(action)] == []
    assert [action for action in sorted(reads) if DATA.fullmatch(action)] == []
    assert POLICIES["read"].statement("States")["Resource"].endswith("/*/terraform.tfstate")
    assert allowed("plan") == {"s3:PutObject"}
    assert POLICIES["plan"].statement("PlansToBeApproved")["Resource"].endswith("/plans/*.tar")


def test_a_refresh_of_every_unit_is_among_what_who_plans_may_read() -> None:
    assert as_iam_has_it(recorded()["plan"]) - allowed("read") == set()


def test_an_apply_of_every_unit_is_among_what_who_applies_may_do() -> None:
    assert as_iam_has_it(recorded()["apply"]) - allowed(*APPLIES) == set()


def test_every_kind_of_resource_was_there_when_it_was_recorded() -> None:
    """A new one calls what nobody has looked at: record again, and see what the roles lack."""
    kinds = {
        kind
        for path in (TREE.root / "modules").glob("*/*.tf")
        if path.parent.name != "pipeline"
        for kind in re.findall(r'^(?:resource|data) "(aws_\w+)"', path.read_text(), re.M)
    }
    assert kinds - {*recorded()["kinds"], *known()} == set()


def test_what_is_known_of_kinds_that_nobody_recorded_is_allowed() -> None:
    wanted = {action for actions in known().values() for action in actions}
    assert wanted - allowed(*APPLIES) == set()


def test_who_applies_deletes_nothing_that_holds_data() -> None:
    assert allowed(*APPLIES, "drill") & NEVER == set()


def test_who_applies_reads_and_writes_a_releases_records_and_no_items() -> None:
    data = {
        (policy, statement["Sid"])
        for policy in APPLIES
        for statement in POLICIES[policy].statements
        if statement["Effect"] == "Allow"
        and any(DATA.fullmatch(action) for action in statement["Action"])
    }
    assert data == {
        ("release", "Records"),
        ("release", "RecordsKey"),
        ("release", "SmokeTests"),
        ("release", "ThrowAwayRows"),
        ("release", "ThrowAwayUsers"),
    }
    keys = POLICIES["release"].statement("Records")["Condition"]["ForAllValues:StringLike"]
    assert keys == {"dynamodb:LeadingKeys": ["release#*", "region#*", "marker#*"]}
    # A row's key is no part of an item that its owner wrote.
    rows = POLICIES["release"].statement("ThrowAwayRows")
    assert rows["Condition"]["ForAllValues:StringLike"] == {"dynamodb:LeadingKeys": ["user#*"]}
    assert rows["Action"] == ["dynamodb:DeleteItem", "dynamodb:Query"]
    seen = rows["Condition"]["ForAllValues:StringEquals"]
    assert seen == {"dynamodb:Attributes": ["item_id", "owner"]}
    assert rows["Condition"]["StringEqualsIfExists"] == {
        "dynamodb:ReturnValues": "NONE",
        "dynamodb:Select": "SPECIFIC_ATTRIBUTES",
    }


# releases/ calls these.
RELEASE = {
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "cloudwatch:PutMetricData",
    "cognito-idp:AdminCreateUser",
    "cognito-idp:AdminDeleteUser",
    "cognito-idp:AdminGetUser",
    "cognito-idp:AdminSetUserPassword",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
    "kms:Decrypt",
    "lambda:GetAlias",
    "lambda:GetFunctionConfiguration",
    "lambda:GetProvisionedConcurrencyConfig",
    "lambda:InvokeFunction",
    "lambda:ListVersionsByFunction",
    "lambda:UpdateAlias",
}


def test_who_applies_may_release() -> None:
    assert RELEASE - allowed(*APPLIES) == set()


ESCALATES = (
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
)


@pytest.mark.parametrize("action", ESCALATES)
def test_no_role_is_made_or_given_anything_without_the_boundary(action: str) -> None:
    giving = [
        statement
        for name in (*APPLIES, "drill", "plan")
        for statement in POLICIES[name].statements
        if statement["Effect"] == "Allow" and action in statement["Action"]
    ]
    assert giving
    for statement in giving:
        conditions = statement["Condition"]["StringEquals"]
        assert conditions["iam:PermissionsBoundary"] == "${boundary}"


def test_roles_are_those_of_the_functions_and_are_handed_to_no_other_service() -> None:
    access = POLICIES["apply-access"]
    kinds = ["function", "gateway-logs", "health"]
    for sid in ("RolesWithinTheBoundary", "RolesThatAreThere", "RolesForServices"):
        resources = access.statement(sid)["Resource"]
        assert resources == [
            f"arn:${{partition}}:iam::${{account}}:role/${{name}}-*-{k}" for k in kinds
        ]
    passed = access.statement("RolesForServices")["Condition"]["StringEquals"]
    assert passed == {"iam:PassedToService": ["apigateway.amazonaws.com", "lambda.amazonaws.com"]}
    passing = [
        (name, statement["Sid"])
        for name, policy in POLICIES.items()
        for statement in policy.statements
        if statement["Effect"] == "Allow" and "iam:PassRole" in statement["Action"]
    ]
    assert passing == [("apply-access", "RolesForServices")]


def test_who_applies_can_change_neither_itself_nor_the_boundary() -> None:
    own = POLICIES["apply-access"].statement("NeitherItselfNorItsBounds")
    assert own["Effect"] == "Deny"
    assert {resource.rpartition(":")[2] for resource in own["Resource"]} == {
        "role/${name}-plan",
        "role/${name}-apply",
        "policy/${name}-*",
        "oidc-provider/*",
    }
    denied = {*ESCALATES, "iam:CreatePolicyVersion", "iam:PassRole", "iam:UpdateAssumeRolePolicy"}
    assert denied - {"iam:CreateRole"} <= set(own["Action"])
    state = POLICIES["apply-state"].statement("NotThePipelinesOwn")
    assert (state["Effect"], state["Action"]) == ("Deny", ["s3:DeleteObject", "s3:PutObject"])
    assert state["Resource"].endswith("/*/global/pipeline/*")
    everywhere = POLICIES["apply-access"].statement("NoRoleLosesItsBounds")
    assert (everywhere["Effect"], everywhere["Resource"]) == ("Deny", "*")
    assert everywhere["Action"] == ["iam:DeleteRolePermissionsBoundary"]
    assert not [each["Sid"] for each in (own, state, everywhere) if "Condition" in each]


def test_who_applies_writes_states_and_no_plans() -> None:
    bucket = "arn:${partition}:s3:::${bucket}"
    resources = {
        each["Sid"]: each["Resource"]
        for each in POLICIES["apply-state"].statements
        if each["Effect"] == "Allow"
    }
    assert resources == {
        "StatesAndLocks": [f"{bucket}/*/terraform.tfstate", f"{bucket}/*/terraform.tfstate.tflock"],
        "Unlock": f"{bucket}/*/terraform.tfstate.tflock",
        "ApprovedPlans": f"{bucket}/plans/*.tar",
    }
    assert "s3:PutObject" not in POLICIES["apply-state"].statement("ApprovedPlans")["Action"]


def test_the_boundary_lets_functions_do_what_their_policies_say() -> None:
    module = TREE.root / "modules" / "api"
    texts = ((module / name).read_text() for name in ("iam.tf", "health.tf"))
    wanted = {
        action
        for text in texts
        for action in re.findall(r'"((?:dynamodb|kms|logs|xray):\w+)"', text)
    }
    wanted -= {
        key
        for key in wanted
        if key in {"dynamodb:LeadingKeys", "dynamodb:Attributes", "kms:ViaService"}
    }
    assert wanted
    assert wanted <= POLICIES["boundary"].actions()
    assert not {a for a in POLICIES["boundary"].actions() if a.startswith(("iam:", "sts:", "s3:"))}
