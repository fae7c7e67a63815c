"""What is made of a plan, without Terraform."""

from __future__ import annotations

from typing import Any

import pytest

from drift.judging import judge
from drift.plan import Plan, UnreadableError
from drift.schemas import Schemas
from tests.drift.plans import NO_OP, REPLACE, plan, resource, told, untouched

LOGS = "aws_cloudwatch_log_group.function"
FUNCTION = "aws_lambda_function.this"
ALIAS = "aws_lambda_alias.live"
ROLE = "aws_iam_role.function"
POOL = "aws_cognito_user_pool.this"
ALARM = 'module.alarms.aws_cloudwatch_metric_alarm.this["latency"]'
TOPIC = "module.alarms.aws_sns_topic.this"
EXPRESSION = {"references": ["var.x"]}


def group(days: int, **more: Any) -> dict[str, Any]:
    return {"name": "/aws/lambda/api", "retention_in_days": days, **more}


def function(**more: Any) -> dict[str, Any]:
    return {"function_name": "api", "memory_size": 1024, "version": "3", **more}


def drifted(address: str, before: dict[str, Any], after: dict[str, Any], **more: Any) -> Any:
    """A plan in which a resource reads otherwise than the state has it, and nothing is done."""
    return plan(untouched(address, after), drift=(resource(address, before, after),), **more)


def test_null_that_reads_back_as_empty_is_in_step_and_asks_for_no_schemas() -> None:
    document = drifted(
        ALARM,
        {"alarm_actions": None, "dimensions": None, "metric_query": [{"period": None, "id": "m"}]},
        {"alarm_actions": [], "dimensions": {}, "metric_query": [{"period": 0, "id": "m"}]},
    )

    def asked() -> Schemas:
        raise AssertionError

    assert judge(Plan.read(document), asked) == ()


def test_what_aws_alone_decides_is_in_step() -> None:
    before = {"domain": "", "estimated_number_of_users": 7}
    after = {"domain": "landing-local-000000000000", "estimated_number_of_users": 9}
    assert told(drifted(POOL, before, after)) == []


def test_an_alias_that_a_release_moved_is_in_step() -> None:
    before = {"name": "live", "function_version": "3", "routing_config": []}
    weights = [{"additional_version_weights": {"4": 0.1}}]
    after = {"name": "live", "function_version": "4", "routing_config": weights}
    sets = {ALIAS: {"name": EXPRESSION, "function_version": EXPRESSION}}
    assert told(drifted(ALIAS, before, after, sets=sets)) == []


def test_a_setting_that_an_apply_puts_back_was_changed_by_hand() -> None:
    document = plan(resource(LOGS, group(1), group(7)), drift=(resource(LOGS, group(7), group(1)),))
    assert told(document) == [f"by hand: {LOGS} changed retention_in_days"]


def test_a_tag_is_named_by_its_key() -> None:
    ours, theirs = group(7, tags={"a b": "x"}), group(7, tags={})
    document = plan(resource(LOGS, theirs, ours), drift=(resource(LOGS, ours, theirs),))
    assert told(document) == [f'by hand: {LOGS} changed tags["a b"]']


def test_what_the_code_leaves_to_aws_and_somebody_has_set_stays() -> None:
    before = function(ephemeral_storage=[{"size": 512}])
    after = function(ephemeral_storage=[{"size": 1024}])
    document = drifted(FUNCTION, before, after, sets={FUNCTION: {"memory_size": EXPRESSION}})
    assert told(document) == [f"by hand: {FUNCTION} changed ephemeral_storage.size (stays)"]


def test_what_the_code_sets_and_an_apply_leaves_alone_is_ignored_on_purpose() -> None:
    before = function(ephemeral_storage=[{"size": 512}])
    after = function(ephemeral_storage=[{"size": 1024}])
    sets = {FUNCTION: {"ephemeral_storage": [{"size": {"constant_value": 512}}]}}
    assert told(drifted(FUNCTION, before, after, sets=sets)) == []


def test_what_no_schema_knows_is_told() -> None:
    address = "aws_novelty.this"
    document = drifted(address, {"colour": "red"}, {"colour": "blue"})
    assert told(document) == [f"by hand: {address} changed colour (stays)"]


def test_the_code_of_a_module_is_looked_up_there() -> None:
    address = 'module.a["x.y"].module.b.aws_lambda_function.this[0]'
    before = function(ephemeral_storage=[{"size": 512}])
    after = function(ephemeral_storage=[{"size": 1024}])
    document = drifted(address, before, after)
    here = {
        "address": "aws_lambda_function.this",
        "expressions": {"ephemeral_storage": [{"size": EXPRESSION}]},
    }
    document["configuration"]["root_module"]["module_calls"] = {
        "a": {"module": {"module_calls": {"b": {"module": {"resources": [here]}}}}}
    }
    assert told(document) == []


def test_what_was_deleted_by_hand_is_told_and_not_what_follows_from_it() -> None:
    topic = {"name": "alarms", "arn": "arn:1"}
    alarm = {"alarm_name": "latency", "alarm_actions": ["arn:1"]}
    document = plan(
        resource(TOPIC, None, {"name": "alarms"}, ("create",), {"arn": True}),
        resource(ALARM, alarm, {"alarm_name": "latency"}, unknown={"alarm_actions": True}),
        drift=(resource(TOPIC, topic, None, ("delete",)),),
    )
    assert told(document) == [f"by hand: {TOPIC} deleted"]


def test_what_was_deleted_by_hand_and_from_the_code_stays_so() -> None:
    document = plan(drift=(resource(LOGS, group(7), None, ("delete",)),))
    assert told(document) == [f"by hand: {LOGS} deleted (stays)"]


def test_code_that_is_not_applied_is_named_by_what_is_known_of_it() -> None:
    document = plan(
        resource(
            FUNCTION,
            function(source_code_hash="old", last_modified="monday"),
            {"function_name": "api", "memory_size": 1024, "source_code_hash": "new"},
            unknown={"last_modified": True, "version": True},
        )
    )
    assert told(document) == [f"code: {FUNCTION} to be changed source_code_hash"]


def test_what_aws_stamps_is_nobodys_change_beside_code_that_is_not_applied() -> None:
    before = function(source_code_hash="old", last_modified="monday")
    now = before | {"last_modified": "tuesday"}
    after = {"function_name": "api", "memory_size": 1024, "source_code_hash": "new", "version": "3"}
    document = plan(
        resource(FUNCTION, now, after, unknown={"last_modified": True}),
        drift=(resource(FUNCTION, before, now),),
    )
    assert told(document) == [f"code: {FUNCTION} to be changed source_code_hash"]


def test_a_setting_changed_by_hand_and_in_the_code_is_both() -> None:
    document = plan(
        resource(LOGS, group(1), group(14)), drift=(resource(LOGS, group(7), group(1)),)
    )
    assert told(document) == [
        f"by hand: {LOGS} changed retention_in_days",
        f"code: {LOGS} to be changed retention_in_days",
    ]


def test_a_list_changed_by_hand_alone_is_not_taken_for_code() -> None:
    ours, theirs = {"alarm_actions": ["a", "b"]}, {"alarm_actions": ["a", "b", "c"]}
    document = plan(resource(ALARM, theirs, ours), drift=(resource(ALARM, ours, theirs),))
    assert told(document) == [f"by hand: {ALARM} changed alarm_actions"]


def test_what_was_changed_by_hand_and_becomes_known_at_the_apply_is_put_back() -> None:
    ours: dict[str, Any] = {"alarm_actions": ["arn:1"]}
    theirs: dict[str, Any] = {"alarm_actions": []}
    document = plan(
        resource(ALARM, theirs, {}, unknown={"alarm_actions": [True]}),
        drift=(resource(ALARM, ours, theirs),),
    )
    assert told(document) == [f"by hand: {ALARM} changed alarm_actions"]


def test_a_list_that_differs_in_what_becomes_known_alone_follows_something_else() -> None:
    now = {"alarm_actions": ["arn:1", "arn:2"], "threshold": 1}
    after = {"alarm_actions": ["arn:1", None], "threshold": 2}
    document = plan(resource(ALARM, now, after, unknown={"alarm_actions": [False, True]}))
    assert told(document) == [f"code: {ALARM} to be changed threshold"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (resource(LOGS, None, group(7), ("create",), {"arn": True}), f"code: {LOGS} to be made"),
        (resource(LOGS, group(7), None, ("delete",)), f"code: {LOGS} to be deleted"),
        (resource(LOGS, group(7), None, ("forget",)), f"code: {LOGS} to be forgotten"),
        (
            resource(LOGS, group(7), {"name": "b", "retention_in_days": 7}, REPLACE),
            f"code: {LOGS} to be made anew name",
        ),
        (
            resource(LOGS, group(7), group(7), REPLACE, action_reason="replace_because_tainted"),
            f"code: {LOGS} to be made anew",
        ),
        (
            resource(LOGS, group(7), group(7), NO_OP, previous_address="aws_x.old"),
            f"code: {LOGS} to be moved from aws_x.old",
        ),
        (
            resource(LOGS, group(7), group(7), NO_OP, importing=True),
            f"code: {LOGS} to be imported",
        ),
        (
            resource(LOGS, group(7), None, ("delete",), deposed="1a2b3c4d"),
            f"code: {LOGS} to be deleted",
        ),
        # A value that the code makes anew each time, or that only an apply reads.
        (
            resource(LOGS, group(7), group(7), unknown={"tags": True}),
            f"code: {LOGS} to be changed",
        ),
    ],
    ids=["new", "gone", "forgotten", "replaced", "tainted", "moved", "imported", "deposed", "?"],
)
def test_what_an_apply_would_do_is_code_that_is_not_applied(
    change: dict[str, Any], expected: str
) -> None:
    assert told(plan(change)) == [expected]


def test_a_tainted_resource_is_told_beside_what_was_changed_by_hand() -> None:
    tainted = resource(LOGS, group(7), group(7), REPLACE, action_reason="replace_because_tainted")
    document = plan(tainted, drift=(resource(TOPIC, {"name": "x"}, None, ("delete",)),))
    assert told(document) == [f"by hand: {TOPIC} deleted (stays)", f"code: {LOGS} to be made anew"]


def test_data_that_is_read_again_is_nobodys_change() -> None:
    read = resource("aws_iam_policy_document.this", None, {"json": "{}"}, ("read",), mode="data")
    assert told(plan(read)) == []


def role(**policies: Any) -> dict[str, Any]:
    return {"name": "api-function", **policies}


def policy(name: str) -> dict[str, Any]:
    return {"name": name, "policy": "{}"}


def test_policies_that_the_unit_gives_a_role_are_in_step() -> None:
    had = role(inline_policy=[], managed_policy_arns=[])
    has = role(inline_policy=[policy("function")], managed_policy_arns=["arn:logs"])
    document = plan(
        untouched(ROLE, has),
        untouched("aws_iam_role_policy.function", policy("function") | {"role": "api-function"}),
        untouched(
            "aws_iam_role_policy_attachment.logs",
            {"role": "api-function", "policy_arn": "arn:logs"},
        ),
        drift=(resource(ROLE, had, has),),
    )
    assert told(document) == []


def test_a_policy_that_somebody_gave_a_role_is_told_even_once_the_state_has_it() -> None:
    has = role(
        inline_policy=[policy("function"), policy("backdoor")],
        managed_policy_arns=["arn:aws:iam::aws:policy/AdministratorAccess"],
    )
    document = plan(
        untouched(ROLE, has),
        untouched("aws_iam_role_policy.function", policy("function") | {"role": "api-function"}),
        untouched("aws_iam_role_policy.other", policy("backdoor") | {"role": "another"}),
    )
    assert told(document) == [
        f'by hand: {ROLE} changed inline_policy["backdoor"] '
        'managed_policy_arns["arn:aws:iam::aws:policy/AdministratorAccess"] (stays)'
    ]


def test_a_policy_that_an_apply_takes_away_does_not_stay() -> None:
    has = role(inline_policy=[policy("backdoor")])
    document = plan(
        resource(ROLE, has, role(inline_policy=[])),
        drift=(resource(ROLE, role(inline_policy=[]), has),),
    )
    assert told(document) == [f"by hand: {ROLE} changed inline_policy"]


def test_a_policy_of_ours_that_somebody_took_away_is_told_as_what_it_is() -> None:
    address = "aws_iam_role_policy.function"
    ours = policy("function") | {"role": "api-function"}
    had, has = role(inline_policy=[policy("function")]), role(inline_policy=[])
    document = plan(
        untouched(ROLE, has),
        resource(address, None, ours, ("create",)),
        drift=(resource(ROLE, had, has), resource(address, ours, None, ("delete",))),
    )
    assert told(document) == [f"by hand: {address} deleted"]


def output(before: Any, after: Any, *actions: str, **more: Any) -> dict[str, Any]:
    return {"actions": list(actions), "before": before, "after": after, **more}


@pytest.mark.parametrize(
    ("change", "references", "expected"),
    [
        (output("a", "a", "no-op"), ["local.x"], []),
        (output(None, "a", "create"), ["local.x"], ["code: output it to be set"]),
        (output("a", None, "delete"), [], ["code: output it to be set"]),
        (output("a", "b", "update"), [f"{POOL}.name", POOL], ["code: output it to be set"]),
        # It is made of what has drifted, which is nobody's change or told already.
        (output("a", "b", "update"), [f"{POOL}.domain", POOL], []),
        (output("a", "b", "update"), [POOL], []),
        (output("a", None, "update", after_unknown=True), ["local.x"], []),
        (output(None, None, "create", after_unknown=True), ["local.x"], []),
        (output({"a": 1}, {}, "update", after_unknown={"a": True}), ["local.x"], []),
    ],
)
def test_outputs(change: dict[str, Any], references: list[str], expected: list[str]) -> None:
    document = drifted(
        POOL,
        {"domain": ""},
        {"domain": "landing"},
        outputs={"it": change},
        references={"it": references},
    )
    assert told(document) == expected


def test_an_output_of_a_module_in_which_something_drifted_follows_it() -> None:
    document = drifted(
        "module.alarms.aws_cognito_user_pool.this",
        {"domain": ""},
        {"domain": "landing"},
        outputs={"arn": output("a", "b", "update"), "other": output("a", "b", "update")},
        references={
            "arn": ["module.alarms.topic_arn", "module.alarms"],
            "other": ["module.alarm.topic_arn", "module.alarm"],
        },
    )
    assert told(document) == ["code: output other to be set"]


def test_a_path_ends_where_values_are_secret() -> None:
    ours = function(environment=[{"variables": {"KEY": "s3cret"}}])
    theirs = function(environment=[{"variables": {"KEY": "0ther", "MINE": "x"}}])
    secret = {"environment": [{"variables": True}]}
    document = plan(
        resource(FUNCTION, theirs, ours, secret=secret),
        drift=(resource(FUNCTION, ours, theirs, secret=secret),),
    )
    assert told(document) == [f"by hand: {FUNCTION} changed environment.variables"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"errored": True}, "ended with an error"),
        ({"complete": False}, "of a part"),
        ({"format_version": "2.0"}, "format is 2.0"),
        ({"format_version": ""}, "format is unknown"),
    ],
)
def test_what_is_no_whole_plan_is_not_judged(more: dict[str, Any], says: str) -> None:
    with pytest.raises(UnreadableError, match=says):
        Plan.read(plan(**more))
