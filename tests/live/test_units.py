"""What terragrunt makes of the tree, in all three accounts."""

import json
import os
import re
import stat
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path

import pytest

from local.settings import REGISTERED_DOMAIN
from project import paths
from project.account import read_account
from project.paths import TREE
from tests.live.trees import ACCOUNTS, REPOSITORY, Tree, Unit, declared, resource_types

# A resource type belongs to the service of its longest prefix here; the value is the provider's
# name for the service's endpoint.
SERVICES = {
    "acm": "acm",
    "api_gateway": "apigateway",
    "caller_identity": "sts",
    "cloudfront": "cloudfront",
    "cloudwatch": "cloudwatch",
    "cloudwatch_log": "logs",
    "cloudwatch_query_definition": "logs",
    "cognito": "cognitoidp",
    "dynamodb": "dynamodb",
    "iam": "iam",
    "kms": "kms",
    "lambda": "lambda",
    "route53": "route53",
    "sns": "sns",
    "wafv2": "wafv2",
    "xray": "xray",
}
# Worked out by the provider itself: they call nobody.
OFFLINE = {"aws_iam_policy_document", "aws_partition", "aws_region"}
PRIMARY = {"local": "us-east-1", "dev": "us-east-2", "prod": "us-east-2"}
URL = re.compile(r"\bhttps?://[^\"\s]+")


def of(units: Mapping[str, Unit], module: str) -> list[Unit]:
    found = [unit for unit in units.values() if unit.module == module]
    assert {unit.account for unit in found} >= {unit.account for unit in units.values()}
    return found


def key_of(resource: str) -> str:
    """Give the keys that an object's ARN stands for."""
    return resource.partition("${bucket}/")[2]


def service_of(resource_type: str) -> str:
    words = resource_type.removeprefix("aws_")
    prefixes = [prefix for prefix in SERVICES if words.startswith(prefix)]
    assert prefixes, f"{resource_type}: which service is that? Add it to SERVICES"
    return SERVICES[max(prefixes, key=len)]


def test_each_folder_with_a_unit_is_rendered(units: Mapping[str, Unit]) -> None:
    live = REPOSITORY / "live"
    files = (file for name in ACCOUNTS for file in (live / name).glob("*/*/terragrunt.hcl"))
    assert set(units) == {file.parent.relative_to(live).as_posix() for file in files}


def test_every_account_is_made_of_the_same_units(units: Mapping[str, Unit]) -> None:
    shapes = {
        name: sorted(
            (unit.inputs.get("role", "global"), unit.module)
            for unit in units.values()
            if unit.account == name
        )
        for name in ACCOUNTS
    }
    assert shapes["dev"] == shapes["prod"]
    # Nobody's jobs reach a laptop.
    assert shapes["local"] == [shape for shape in shapes["dev"] if shape[1] != "pipeline"]


def test_units_give_modules_what_they_ask_for_and_nothing_else(units: Mapping[str, Unit]) -> None:
    for unit in units.values():
        variables = declared(unit.module)
        required = {name for name, is_required in variables.items() if is_required}
        assert set(unit.inputs) <= set(variables), unit.path
        assert required <= set(unit.inputs), unit.path


def test_mocks_stand_in_for_outputs_that_exist(units: Mapping[str, Unit]) -> None:
    for unit in units.values():
        for name, dependency in unit.dependencies.items():
            module = Path(dependency["config_path"]).name
            outputs = (REPOSITORY / "modules" / module / "outputs.tf").read_text()
            for output in dependency["mock_outputs"]:
                assert f'output "{output}"' in outputs, f"{unit.path}: {name} has no {output}"


def test_mocks_are_for_commands_that_make_nothing(units: Mapping[str, Unit]) -> None:
    harmless = {"init", "validate", "plan", "destroy"}
    for unit in units.values():
        for dependency in unit.dependencies.values():
            assert set(dependency["mock_outputs_allowed_terraform_commands"]) <= harmless


def test_a_unit_waits_only_for_what_it_reads(units: Mapping[str, Unit]) -> None:
    reads = {unit.path: set(unit.dependencies) for unit in units.values()}
    assert {path: read for path, read in reads.items() if read} == {
        **{unit.path: {"foundation", "identity", "data"} for unit in of(units, "api")},
        # Not before the Regions know a key that it is going to send; and not destroyed while the
        # pool is protected.
        **{
            unit.path: {"foundation", "identity", "data", "primary", "standby"}
            for unit in of(units, "edge")
        },
    }


def test_a_release_reaches_the_standby_before_the_primary(units: Mapping[str, Unit]) -> None:
    asked = {
        unit.path: unit.waits_for - {f"{unit.account}/global/{name}" for name in unit.dependencies}
        for unit in of(units, "api")
    }
    assert asked == {
        unit.path: {f"{unit.account}/us-west-2/api"} if unit.inputs["role"] == "primary" else set()
        for unit in of(units, "api")
    }


def test_an_apply_that_published_has_it_released_in_its_own_region(
    units: Mapping[str, Unit],
) -> None:
    for unit in of(units, "api"):
        hook = unit.rendered["terraform"]["after_hook"]["release"]
        assert hook["commands"] == ["apply"]
        # The other accounts' ids are placeholders, so their units are refused.
        assert hook["if"] is (unit.account == "local")
        assert not hook.get("run_on_error")
        assert hook["execute"][1:] == [
            "-m", "toolchain", "release", "--account", unit.account, "--region", unit.area,
        ]  # fmt: skip


def test_the_edge_has_the_domain_name_of_each_region(units: Mapping[str, Unit]) -> None:
    for unit in of(units, "edge"):
        areas = {
            name: Path(dependency["config_path"]).parent.name
            for name, dependency in unit.dependencies.items()
        }
        assert areas["primary"] == unit.inputs["primary_region"]
        assert areas["standby"] == unit.inputs["standby_region"]
        assert set(unit.inputs["regional_endpoints"]) == {areas["primary"], areas["standby"]}


def test_the_tested_provider_is_pinned(units: Mapping[str, Unit], tree: Tree) -> None:
    for unit in units.values():
        text = (tree.root / "live" / "_defaults.hcl").read_text()
        tested = re.search(r'provider_version\s*= "(\d+\.\d+\.\d+)"', text)
        assert tested
        assert f'version = "{tested[1]}"' in unit.generated("provider_version")


@pytest.mark.parametrize("account", ["dev", "prod"])
def test_real_accounts_keep_their_state_locked_and_encrypted(
    units: Mapping[str, Unit], account: str
) -> None:
    mine = [unit for unit in units.values() if unit.account == account]
    for unit in mine:
        assert unit.rendered["remote_state"]["backend"] == "s3"
        assert unit.backend["use_lockfile"] is True
        assert unit.backend["encrypt"] is True
        assert unit.backend["allowed_account_ids"][0] in unit.backend["bucket"]
        assert not any("skip" in setting for setting in unit.backend)
        assert unit.backend["region"] in unit.backend["bucket"]
    assert len({unit.backend["key"] for unit in mine}) == len(mine)


@pytest.mark.parametrize("account", ["dev", "prod"])
def test_state_is_kept_where_the_loss_of_the_primary_leaves_it(
    units: Mapping[str, Unit], account: str
) -> None:
    primary = units[f"{account}/global/edge"].inputs["primary_region"]
    for unit in units.values():
        if unit.account == account:
            assert unit.backend["region"] != primary


@pytest.mark.parametrize("account", ["dev", "prod"])
def test_the_primary_is_not_lost_together_with_the_control_planes(
    units: Mapping[str, Unit], account: str
) -> None:
    """IAM's, Route 53's and CloudFront's are in us-east-1, whatever Regions one chooses."""
    assert units[f"{account}/global/edge"].inputs["primary_region"] != "us-east-1"


def test_no_two_accounts_share_a_state_bucket(units: Mapping[str, Unit]) -> None:
    buckets = {unit.backend.get("bucket"): set[str]() for unit in units.values()}
    for unit in units.values():
        buckets[unit.backend.get("bucket")].add(unit.account)
    assert all(len(accounts) == 1 for accounts in buckets.values())


def test_local_state_lies_under_one_folder_of_the_clone(units: Mapping[str, Unit]) -> None:
    for unit in units.values():
        if unit.account == "local":
            assert unit.backend["path"].startswith("/")
            assert unit.backend["path"].endswith(
                f"/clone/.local/tfstate/{unit.path}/terraform.tfstate"
            )


def test_each_provider_works_in_its_own_region_and_account(units: Mapping[str, Unit]) -> None:
    for unit in units.values():
        regions = re.findall(r'^  region = "(.*)"', unit.generated("provider"), re.M)
        home = unit.area if unit.area != "global" else PRIMARY[unit.account]
        assert regions == [home, "us-west-2", "us-east-1"], unit.path
        account_id = {"local": "0", "dev": "1", "prod": "2"}[unit.account] * 12
        assert unit.generated("provider").count(f'allowed_account_ids = ["{account_id}"]') == 3


def test_each_region_is_given_its_own_part_of_what_is_shared(units: Mapping[str, Unit]) -> None:
    for unit in of(units, "api"):
        roles = {PRIMARY[unit.account]: "primary", "us-west-2": "standby"}
        assert unit.inputs["role"] == roles[unit.area]
        for name in ("certificate_arn", "table_arn", "kms_key_arn"):
            assert unit.inputs[name].split(":")[3] == unit.area


def test_tags_tell_which_unit_made_a_resource(units: Mapping[str, Unit]) -> None:
    for unit in units.values():
        assert f'"unit":"{unit.path}"' in unit.generated("provider")


def test_the_packages_path_is_the_same_in_every_clone(units: Mapping[str, Unit]) -> None:
    assert {unit.inputs["package_path"] for unit in of(units, "api")} == {"lambda.zip"}


def test_real_accounts_are_given_no_endpoint_and_no_credentials(
    units: Mapping[str, Unit],
) -> None:
    for unit in units.values():
        if unit.account != "local":
            for word in ("endpoint", "access_key", "skip_"):
                assert word not in unit.generated("provider")
            assert not unit.rendered["terraform"]["extra_arguments"]["embedded_aws"]["env_vars"]


def test_local_units_name_no_host_but_loopback(units: Mapping[str, Unit]) -> None:
    for unit in units.values():
        if unit.account == "local":
            urls = set(URL.findall(unit.generated("provider")))
            assert urls == {"http://127.0.0.1:4566"}, unit.path


def test_the_key_of_the_embedded_aws_is_in_its_file_alone(units: Mapping[str, Unit]) -> None:
    for unit in units.values():
        if unit.account == "local":
            file = Path(unit.backend["path"].partition("/tfstate/")[0]) / "credentials.json"
            assert (stat.S_IMODE(file.stat().st_mode), file.stat().st_uid) == (0o600, os.getuid())
            assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
            assert f'file("{file}")' in unit.generated("provider")
            credentials = json.loads(file.read_text())
            assert credentials["secret_access_key"] not in json.dumps(unit.rendered)


def test_real_accounts_make_no_key_of_the_embedded_aws(tree: Tree) -> None:
    tree.render("dev")

    assert not (tree.root / ".local").exists()


def test_local_units_have_an_endpoint_for_every_service_that_modules_use(
    units: Mapping[str, Unit],
) -> None:
    used = {service_of(name) for name in resource_types() - OFFLINE} | {"sts"}
    for unit in units.values():
        if unit.account == "local":
            provider = unit.generated("provider")
            given = re.findall(r"^    (\w+) *= \"http", provider, re.M)
            assert used <= set(given), f"live/local/account.hcl lacks {used - set(given)}"


def test_the_embedded_account_has_its_zone_before_a_first_apply_finds_the_domain_delegated(
    units: Mapping[str, Unit],
) -> None:
    given = units["local/global/foundation"].inputs
    assert (given["create_hosted_zone"], given["domain_delegated"]) == (False, True)
    assert given["domain_name"] == REGISTERED_DOMAIN


def test_production_keeps_what_cannot_be_made_again(units: Mapping[str, Unit]) -> None:
    for module in ("identity", "data"):
        assert units[f"prod/global/{module}"].inputs["deletion_protection"] is True
    assert units["prod/global/data"].inputs["point_in_time_recovery"] is True
    for unit in units.values():
        assert unit.rendered["prevent_destroy"] is (unit.account == "prod")


@pytest.mark.parametrize(
    ("account", "own"),
    [
        ("dev", {"price_class": "PriceClass_100", "log_retention_days": 14}),
        ("prod", {"price_class": "PriceClass_All", "log_retention_days": 365}),
    ],
)
def test_what_protects_users_at_the_edge_changes_on_purpose_only(
    units: Mapping[str, Unit], account: str, own: dict[str, object]
) -> None:
    """The unit hands all of these over: no default of the module's is ever deployed."""
    expected = own | {
        "health_check_interval_seconds": 10,
        "health_check_failure_threshold": 3,
        "failover_record_ttl_seconds": 10,
        "rate_limit_per_five_minutes": 10000,
        "health_rate_limit_per_minute": 240,
        "geo_restriction": {"restriction_type": "none"},
        "log_refused_requests": True,
        "availability_objective": 99.9,
        "latency_objective_ms": 1000,
    }
    inputs = units[f"{account}/global/edge"].inputs
    assert {name: inputs[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("account", "own"),
    [
        (
            "dev",
            {
                "throttle_rate_limit": 100,
                "throttle_burst_limit": 200,
                "reserved_concurrency": -1,
                "health_reserved_concurrency": -1,
                "log_retention_days": 14,
                "trace_rate": 0.1,
            },
        ),
        (
            "prod",
            {
                "throttle_rate_limit": 4000,
                "throttle_burst_limit": 2000,
                "reserved_concurrency": 600,
                "health_reserved_concurrency": 20,
                "log_retention_days": 365,
                "trace_rate": 0.01,
            },
        ),
    ],
)
def test_what_protects_a_region_changes_on_purpose_only(
    units: Mapping[str, Unit], account: str, own: dict[str, object]
) -> None:
    """In the standby as in the primary, since it takes all requests on the bad day."""
    expected = own | {
        "log_refused_requests": True,
        "max_items_per_owner": 10000,
        "function_memory_mb": 1024,
    }
    for unit in of(units, "api"):
        if unit.account == account:
            assert {name: unit.inputs[name] for name in expected} == expected, unit.path


@pytest.mark.parametrize(
    ("account", "ceiling"), [("dev", {"read": 200, "write": 200}), ("prod", None)]
)
def test_what_protects_peoples_accounts_and_the_bill_changes_on_purpose_only(
    units: Mapping[str, Unit], account: str, ceiling: dict[str, int] | None
) -> None:
    identity = units[f"{account}/global/identity"].inputs
    assert (identity["mfa"], identity["advanced_security"]) == ("OPTIONAL", "OFF")
    assert units[f"{account}/global/data"].inputs["max_throughput"] == ceiling


def test_the_root_of_the_clone_runs_the_embedded_account_alone(tree: Tree) -> None:
    found = tree.run(tree.root, "find").stdout.split()
    assert len(found) == 6
    assert all(path.startswith("live/local/") for path in found)


@pytest.mark.parametrize("account", ACCOUNTS)
def test_the_switch_is_looked_for_in_the_table_that_is_made(
    units: Mapping[str, Unit], account: str
) -> None:
    inputs = units[f"{account}/global/data"].inputs
    made = inputs["table_name"] or f"{inputs['name']}-items"
    assert read_account(TREE, account).table_name == made


def test_an_account_that_names_its_table_is_taken_at_its_word(tree: Tree) -> None:
    tree.say("local", table_name='"restored"')

    assert tree.render("local")["local/global/data"].inputs["table_name"] == "restored"
    assert read_account(toolchain_tree(tree), "local").table_name == "restored"


def test_functions_and_dashboards_follow_the_tables_real_name(units: Mapping[str, Unit]) -> None:
    for unit in (*of(units, "api"), *of(units, "edge")):
        output = unit.dependencies["data"]["mock_outputs"]["table_name"]
        assert unit.inputs["table_name"] == output


def test_without_a_repository_to_trust_no_role_has_a_boundary(units: Mapping[str, Unit]) -> None:
    assert {unit.inputs["permissions_boundary_arn"] for unit in of(units, "api")} == {None}


def test_an_account_that_names_a_repository_has_a_pipeline_and_its_boundary(tree: Tree) -> None:
    tree.say("dev", pipeline_subject='"repo:example/landing"', table_name='"restored"')

    units = tree.render("dev")

    pipeline = units["dev/global/pipeline"]
    assert pipeline.dependencies == {}
    assert pipeline.inputs == {
        "name": "landing-dev",
        "account_id": "111111111111",
        "state_bucket": "landing-tfstate-111111111111-us-west-2",
        "table_name": "restored",
        "subject": "repo:example/landing",
        "branch": "main",
        "environment": "dev",
        "oidc_provider_arn": None,
        "drills": True,
    }
    assert pipeline.inputs["state_bucket"] == pipeline.backend["bucket"]
    policy = (REPOSITORY / "modules/pipeline/policies/apply-state.json").read_text()
    (kept,) = (each for each in json.loads(policy)["Statement"] if each["Effect"] == "Deny")
    own = {
        path
        for path, unit in units.items()
        if fnmatch(unit.backend["key"], key_of(kept["Resource"]))
    }
    assert own == {"dev/global/pipeline"}
    boundaries = {
        unit.inputs["permissions_boundary_arn"] for unit in units.values() if unit.module == "api"
    }
    assert boundaries == {"arn:aws:iam::111111111111:policy/landing-dev-boundary"}
    assert (
        'boundary_name = "${var.name}-boundary"'
        in (REPOSITORY / "modules/pipeline/boundary.tf").read_text()
    )


def test_an_organizations_tags_are_on_everything_and_on_the_states_bucket(tree: Tree) -> None:
    tree.say("dev", tags='{ cost-center = "4711", project = "another" }')

    for unit in tree.render("dev").values():
        own = {"cost-center": "4711", "project": "landing", "account": "dev"}
        tags = re.findall(r"tags = (\{.*\})", unit.generated("provider"))
        assert len(tags) == 3
        assert all(own.items() <= json.loads(text).items() for text in tags)
        assert own.items() <= unit.backend["s3_bucket_tags"].items()


def test_what_an_account_says_of_names_that_it_must_not_choose_freely_reaches_its_units(
    tree: Tree,
) -> None:
    base = "https://github.com/example/landing/blob/main"
    tree.say(
        "dev",
        create_hosted_zone="false",
        hosted_zone_id='"Z0EXAMPLE"',
        sign_in_domain_prefix='"sign-in-landing"',
        runbook_base_url=f'"{base}"',
    )

    units = tree.render("dev")

    assert units["dev/global/foundation"].inputs["hosted_zone_id"] == "Z0EXAMPLE"
    assert units["dev/global/identity"].inputs["domain_prefix"] == "sign-in-landing"
    for unit in (*of(units, "api"), *of(units, "edge")):
        assert unit.inputs["runbook_base_url"] == base, unit.path


def test_an_account_whose_alarms_reach_nobody_is_warned(units: Mapping[str, Unit]) -> None:
    for unit in (*of(units, "api"), *of(units, "edge")):
        assert unit.inputs["alarms_reach_somebody"] is (unit.account != "local"), unit.path


def test_nobody_pays_for_a_plan_that_nothing_needs(units: Mapping[str, Unit]) -> None:
    assert {unit.inputs["user_pool_tier"] for unit in of(units, "identity")} == {"LITE"}


def toolchain_tree(tree: Tree) -> paths.Tree:
    """The copied tree as the toolchain sees it, with the tools that are here."""
    (tree.root / ".tools").symlink_to(TREE.tools)
    return paths.Tree(tree.root)
