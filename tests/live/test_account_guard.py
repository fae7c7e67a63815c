"""A real account is touched only with its own credentials."""

from dataclasses import replace

import pytest

from live.account_guard import (
    REQUIRED,
    Account,
    check_account_id,
    check_endpoint,
    check_name,
    check_provider_version,
    refusal,
)
from tests.live.sts import Listener, listening
from tests.live.trees import Tree

OURS = "345678901234"
THEIRS = "987654321098"
REGIONS = ("us-east-2", "us-west-2")
DEV = Account("dev", REQUIRED, "landing", "dev", OURS, *REGIONS, "5.100.0", "us-west-2", "")
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}


@pytest.fixture
def dev(tree: Tree) -> Tree:
    """Give a clone whose dev account has a real id."""
    tree.say("dev", account_id=f'"{OURS}"')
    return tree


def pointed_at(sts: Listener) -> dict[str, str]:
    return CREDENTIALS | {"AWS_ENDPOINT_URL_STS": sts.url, "AWS_ENDPOINT_URL_S3": sts.url}


@pytest.mark.parametrize("account", ["dev", "prod"])
def test_a_template_is_refused_before_anything_is_downloaded(tree: Tree, account: str) -> None:
    done = tree.run(tree.account(account), "run", "--all", "plan")

    assert done.returncode != 0
    assert f"live/{account}/account.hcl still has the placeholder account id" in done.stderr
    assert not list(tree.root.rglob(".terragrunt-cache"))


@pytest.mark.parametrize(
    "command",
    [
        ("plan",),
        ("apply", "--backend-bootstrap"),
        ("validate", "--backend-bootstrap"),
        ("output",),
        ("backend", "bootstrap"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("unit", ["global/data", "us-west-2/api"])
def test_someone_elses_account_is_refused_before_its_state_is_looked_for(
    dev: Tree, unit: str, command: tuple[str, ...]
) -> None:
    with listening(THEIRS) as sts:
        done = dev.run(dev.account("dev") / unit, *command, **pointed_at(sts))

    assert done.returncode != 0
    assert f"These credentials are of account {THEIRS}" in done.stderr
    assert f"live/dev/account.hcl is for account {OURS}" in done.stderr
    if command[0] != "backend":
        said = done.stderr.count("These credentials are of")
        assert (done.returncode, said) == (2, 1)
    assert sts.services() == {"sts"}
    assert {call.region for call in sts.calls} == {"us-west-2"}, "the primary may be lost"


def test_its_own_credentials_are_let_through_to_its_state(dev: Tree) -> None:
    with listening(OURS) as sts:
        done = dev.run(dev.account("dev") / "global/data", "plan", **pointed_at(sts))

    assert "These credentials are of account" not in done.stderr
    assert list(dev.root.rglob("backend.tf"))


def test_no_credentials_are_answered_with_how_to_sign_in(dev: Tree) -> None:
    done = dev.run(dev.account("dev") / "us-east-2/api", "plan")

    assert done.returncode != 0
    assert f"No valid AWS credentials for dev, account {OURS}: sign in to it" in done.stderr


def test_a_shell_of_the_embedded_aws_is_refused() -> None:
    message = refusal(DEV, "global", "plan", {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"})
    assert message.startswith("This shell is set up for the embedded AWS")


@pytest.mark.parametrize("endpoint", ["", "https://vpce-1.sts.us-east-1.vpce.amazonaws.com"])
def test_an_endpoint_of_ones_own_is_no_embedded_aws(endpoint: str) -> None:
    assert check_endpoint(DEV, {"AWS_ENDPOINT_URL": endpoint}) == ""


@pytest.mark.parametrize("written", ["111111111111", "000000000000", "123456789012"])
def test_a_placeholder_is_known_for_one(written: str) -> None:
    assert "still has the placeholder" in check_account_id(replace(DEV, id=written))


@pytest.mark.parametrize("written", ["", "34567890123", "3456-7890-1234", "345678901234 "])
def test_an_id_that_is_none_is_called_so(written: str) -> None:
    assert "must be 12 digits" in check_account_id(replace(DEV, id=written))


@pytest.mark.parametrize("project", ["landing", "a", "x" * 26])
def test_a_name_that_fits_every_module_is_let_through(project: str) -> None:
    assert check_name(replace(DEV, project=project)) == ""


@pytest.mark.parametrize("project", ["x" * 27, "Landing", "9to5", ""])
def test_a_name_that_one_module_would_refuse_is_refused_before_any_is_applied(project: str) -> None:
    assert "must be 3 to 30 lower-case letters" in check_name(replace(DEV, project=project))


@pytest.mark.parametrize("account", ["local", "dev"])
def test_a_provider_that_nobody_locked_is_refused_with_the_way_to_lock_it(account: str) -> None:
    message = refusal(
        replace(DEV, folder=account, name=account, provider="6.99.0"), "global", "plan", {}
    )
    assert f"live/{account}/account.hcl has provider_version 6.99.0" in message
    assert "no live/_units/provider_locks/aws-6.99.0.hcl" in message
    assert "run `make lock`" in message


@pytest.mark.parametrize("version", ["~> 5.100", ">= 5.0", "5.100", "", "../../x", "5.100.0\n"])
def test_a_range_of_versions_is_no_version(version: str) -> None:
    assert "it must be one version" in check_provider_version(replace(DEV, provider=version))
