"""What must hold of every workflow, which zizmor and actionlint can't know all of."""

from __future__ import annotations

import re

import pytest
import yaml

from project.paths import TREE
from tests.workflows.workflows import EXPRESSION, WORKFLOWS, Step, Workflow, read_workflows

STEPS = [step for workflow in WORKFLOWS.values() for step in workflow.steps()]
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
# A version stands behind the commit, for people and for what renews both.
USES = re.compile(r"^\s*(?:- )?uses: (\S+)(.*)$", re.MULTILINE)
TARGETS = set(re.findall(r"^([a-z][a-z0-9-]*):", (TREE.root / "Makefile").read_text(), re.M))
MAKE = re.compile(r"(?:^|[\s;&|(])make(?: -s)? ([a-z][a-z0-9-]*)", re.MULTILINE)
# What a job may ask for beyond reading what is checked out, and what for.
MAY_WRITE = {
    ("plan", "plan"): {"id-token"},
    ("plan", "comment"): {"pull-requests"},
    ("apply", "dev"): {"id-token"},
    ("apply", "plan-prod"): {"id-token"},
    ("apply", "prod"): {"id-token"},
    ("drift", "drift"): {"id-token"},
    ("drift", "issue"): {"issues"},
    ("drill", "drill"): {"id-token"},
}
# Jobs that change an account: one at a time for each, and none is ended half-way.
CHANGES = {("apply", "dev"): "dev", ("apply", "prod"): "prod", ("drill", "drill"): "dev"}


def every_job() -> list[tuple[Workflow, str]]:
    return [(workflow, job) for workflow in WORKFLOWS.values() for job in workflow.jobs]


JOBS = pytest.mark.parametrize(
    ("workflow", "job"),
    [pytest.param(*each, id=f"{each[0].name} {each[1]}") for each in every_job()],
)


def test_those_that_a_team_needs_are_there_and_no_others() -> None:
    # As a list: of two that differ in their ending alone, WORKFLOWS has one.
    assert [workflow.name for workflow in read_workflows()] == [
        "apply", "check", "drift", "drill", "plan", "test", "vulnerabilities",
    ]  # fmt: skip


def test_every_action_is_a_commit_and_says_which_version_that_is() -> None:
    found = [
        (workflow.path.name, *match)
        for workflow in WORKFLOWS.values()
        for match in USES.findall(workflow.path.read_text())
    ]
    assert len(found) == sum(bool(step.uses) for step in STEPS)
    for name, action, comment in found:
        assert PINNED.fullmatch(action), f"{name}: {action}"
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), f"{name}: {action}{comment}"


def test_an_action_is_of_one_version_everywhere() -> None:
    actions = {step.uses for step in STEPS if step.uses}
    assert len({action.split("@")[0] for action in actions}) == len(actions)


@pytest.mark.parametrize("workflow", WORKFLOWS.values(), ids=WORKFLOWS)
def test_a_job_may_do_what_it_says_and_nothing_by_default(workflow: Workflow) -> None:
    assert workflow.document["permissions"] == {}
    for name, job in workflow.jobs.items():
        writes = {scope for scope, access in job["permissions"].items() if access == "write"}
        assert writes == MAY_WRITE.get((workflow.name, name), set()), name
        assert set(job["permissions"]) <= writes | {"contents"}, name
        assert job["permissions"].get("contents", "read") == "read", name


@pytest.mark.parametrize("workflow", WORKFLOWS.values(), ids=WORKFLOWS)
def test_no_workflow_runs_a_forks_code_with_this_repositorys_rights(workflow: Workflow) -> None:
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(workflow.triggers)


def test_a_job_of_a_pull_request_gets_a_role_on_branches_of_this_repository_alone() -> None:
    for workflow in WORKFLOWS.values():
        if "pull_request" not in workflow.triggers:
            continue
        for job in workflow.jobs.values():
            if "id-token" in job["permissions"]:
                own = "github.event.pull_request.head.repo.full_name == github.repository"
                assert f"&& {own} &&" in job["if"]
                assert "||" not in job["if"]


def test_nothing_that_others_write_is_part_of_a_script() -> None:
    """A branch's name or an input is somebody's text: a shell gets it in the environment."""
    assert [step.text for step in STEPS if EXPRESSION.search(step.text)] == []


def test_there_are_no_keys_and_no_secrets() -> None:
    """Roles are taken with the job's own token; GitHub's is a job's `github.token`."""
    for workflow in WORKFLOWS.values():
        text = workflow.path.read_text()
        assert "secrets." not in text
        assert "secrets:" not in text
        assert not re.search(r"aws-(access|secret)", text)


def test_what_is_checked_out_keeps_no_credentials() -> None:
    checkouts = [step for step in STEPS if step.uses.startswith("actions/checkout@")]
    assert checkouts
    assert all(step.settings["persist-credentials"] is False for step in checkouts)


def _targets(step: Step) -> list[str]:
    return MAKE.findall(step.text)


def test_workflows_call_what_a_person_can_call() -> None:
    called = {target for step in STEPS for target in _targets(step)}
    assert called <= TARGETS
    assert called >= {"apply", "check", "drift", "drill", "plan", "test", "unit", "vulnerabilities"}


@JOBS
def test_a_job_ends_by_itself(workflow: Workflow, job: str) -> None:
    assert 0 < workflow.jobs[job]["timeout-minutes"] <= 120


@JOBS
def test_what_changes_an_account_is_alone_there_and_is_not_cancelled(
    workflow: Workflow, job: str
) -> None:
    account = CHANGES.get((workflow.name, job))
    changes = any(
        {"apply", "drill"} & set(_targets(step)) for step in workflow.steps() if step.job == job
    )
    assert changes is (account is not None)
    if account:
        assert workflow.jobs[job]["concurrency"] == {
            "group": f"account-{account}",
            "cancel-in-progress": False,
        }
        assert workflow.jobs[job]["environment"] == account
        # One of the whole workflow would end all that is in it.
        assert "concurrency" not in workflow.document


def test_prod_is_applied_by_the_plan_that_was_made_before_and_after_dev() -> None:
    jobs = WORKFLOWS["apply"].jobs
    assert jobs["plan-prod"]["needs"] == "dev"
    assert "needs.dev.result != 'failure'" in jobs["plan-prod"]["if"]
    assert jobs["prod"]["needs"] == "plan-prod"
    assert "needs.plan-prod.result == 'success'" in jobs["prod"]["if"]
    assert jobs["prod"]["env"] == {"PLAN": "${{ needs.plan-prod.outputs.plan }}"}
    applied = [step.text for step in WORKFLOWS["apply"].steps() if "make apply" in step.text]
    assert applied == ["make apply ACCOUNT=dev", 'make apply ACCOUNT=prod PLAN="$PLAN"']


def test_a_plan_that_is_to_be_approved_is_no_artifact() -> None:
    """It holds the origin key, and who may read the repository may read its artifacts."""
    uploaded = {
        step.settings["path"] for step in STEPS if step.uses.startswith("actions/upload-artifact@")
    }
    assert uploaded == {".build/plan/${{ matrix.account }}.md", "report", "drills/reports"}


def test_the_roles_that_plan_are_not_those_that_apply() -> None:
    roles = {
        (step.workflow, step.job): step.settings["role-to-assume"]
        for step in STEPS
        if step.uses.startswith("aws-actions/configure-aws-credentials@")
    }
    by_job = "${{ vars[format('PLAN_ROLE_{0}', matrix.account)] }}"
    assert roles == {
        ("plan", "plan"): by_job,
        ("drift", "drift"): by_job,
        ("apply", "plan-prod"): "${{ vars.PLAN_ROLE_PROD }}",
        ("apply", "dev"): "${{ vars.APPLY_ROLE }}",
        ("apply", "prod"): "${{ vars.APPLY_ROLE }}",
        ("drill", "drill"): "${{ vars.APPLY_ROLE }}",
    }


def test_a_copy_of_this_repository_without_accounts_runs_none_of_it() -> None:
    for workflow in WORKFLOWS.values():
        for job in workflow.jobs.values():
            if "id-token" in job["permissions"] and "needs" not in job:
                assert job["if"].startswith("vars.PIPELINE_ACCOUNTS != '' && ")


def test_hooks_before_a_commit_run_what_is_locked() -> None:
    config = yaml.safe_load((TREE.root / ".pre-commit-config.yaml").read_text())
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    for hook in config["repos"][0]["hooks"]:
        assert hook["language"] == "system"
        assert hook["entry"].startswith((".venv/bin/", ".tools/bin/", "make "))
