"""A plan's page says what changes, and none of the secrets that its JSON form holds."""

from __future__ import annotations

from typing import Any

from toolchain.plan_page import MAX_PAGE, Change, UnitPlan, read_plan, render


def resource(address: str, *actions: str, **change: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {"before": None, "after": None}
    return {"address": address, "change": {"actions": list(actions), **empty, **change}}


def plan_of(*resources: dict[str, Any], **document: Any) -> UnitPlan:
    return read_plan("global/data", {"resource_changes": list(resources), **document})


def test_what_changes_nothing_is_left_out() -> None:
    plan = plan_of(
        resource("aws_a.kept", "no-op"),
        resource("data.aws_b.read", "read"),
        output_changes={"name": {"actions": ["no-op"]}},
    )
    assert plan.is_empty
    assert plan.summary == "no changes"


def test_changes_are_counted_as_terraform_counts_them() -> None:
    plan = plan_of(
        resource("aws_a.new", "create", after={"name": "x"}),
        resource("aws_a.old", "delete", before={"name": "x"}),
        resource("aws_a.other", "update", before={"size": 1}, after={"size": 2}),
        resource("aws_a.again", "delete", "create", before={}, after={}),
        resource("aws_a.first", "create", "delete", before={}, after={}),
    )
    assert plan.summary == "3 to add, 1 to change, 3 to destroy"
    assert [change.sign for change in plan.changes] == ["+", "-", "~", "-/+", "-/+"]


def test_an_output_that_changes_is_a_change() -> None:
    plan = plan_of(output_changes={"key": {"actions": ["update"]}})
    assert not plan.is_empty
    assert "~ output key" in render("dev", [plan], [], "")


def test_each_value_that_changes_is_shown() -> None:
    plan = plan_of(
        resource(
            "aws_a.this",
            "delete",
            "create",
            before={"size": 1, "name": "x", "same": 3, "tags": {"a": "b"}},
            after={"size": 2, "name": "y", "same": 3, "tags": None},
            after_unknown={"arn": True},
            replace_paths=[["name"]],
        )
    )
    assert plan.changes[0].lines == (
        "arn: null -> (known after apply)",
        'name: "x" -> "y" (forces replacement)',
        "size: 1 -> 2",
        'tags: {"a": "b"} -> null',
    )


def test_no_value_is_shown_that_is_sensitive_before_or_after_or_inside() -> None:
    secret = "hunter2"
    plan = plan_of(
        resource(
            "aws_a.this",
            "update",
            before={"was": secret, "is": 1, "within": [{"header": secret}], "whole": secret},
            after={"was": 2, "is": secret, "within": [{"header": "x"}], "whole": {"a": secret}},
            before_sensitive={"was": True, "within": [{"header": True}]},
            after_sensitive={"is": True, "whole": {"a": True}},
        ),
        resource("aws_a.new", "create", after={"key": secret}, after_sensitive={"key": True}),
    )
    page = render("prod", [plan], [], "")
    assert secret not in page
    assert page.count("(sensitive) -> (sensitive)") == 4


def test_a_resource_that_is_sensitive_as_a_whole_shows_nothing() -> None:
    plan = plan_of(
        resource(
            "aws_a.this",
            "update",
            before={"a": "hunter2"},
            after={"a": "hunter3"},
            before_sensitive=True,
            after_sensitive=True,
        )
    )
    assert "hunter" not in render("prod", [plan], [], "")


def test_nothing_in_a_plan_ends_the_block_that_it_stands_in() -> None:
    """A pull request's author writes descriptions, and the page is posted in the project's name."""
    text = "````\n<b>Approved by everybody</b>"
    plan = plan_of(resource("aws_a.this", "update", before={"a": 1}, after={"a": text}))
    page = render("dev", [plan], [], "")
    assert "`````diff\n" in page
    assert "\n````\n" not in page


def test_a_page_says_what_could_not_be_planned() -> None:
    page = render("dev", [], ["global/edge"], "")
    assert "`global/edge`: **could not be planned**" in page


def test_a_page_that_would_be_too_long_says_so_and_keeps_what_counts() -> None:
    many = tuple(Change(f"aws_a.this[{number}]", "+") for number in range(MAX_PAGE))
    page = render("dev", [UnitPlan("global/data", many, ())], [], "Plan `0`")
    assert len(page) <= MAX_PAGE
    assert f"`global/data`: {MAX_PAGE} to add, 0 to change, 0 to destroy" in page
    assert "too long" in page
    assert "Plan `0`" in page
