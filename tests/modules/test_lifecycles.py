"""Orders and lifecycles that protect something, which Terraform shows to no `terraform test`."""

from __future__ import annotations

import re

import pytest

from tests.modules.blocks import REFERENCE, resources

# What is made anew before the old one goes: whatever uses it would be without it in between.
MADE_BEFORE_THE_OLD_ONE_GOES = {
    "foundation": {
        "aws_acm_certificate.primary",
        "aws_acm_certificate.replica",
        "aws_acm_certificate.edge",
    },
    "api": {"aws_api_gateway_deployment.this"},
}

# (module, resource) → what has to be there before it, though it reads nothing of it; and why.
AFTER = {
    # Every call would be a 500, and a stage with logs is refused.
    ("api", "aws_api_gateway_stage.live"): {
        "aws_api_gateway_account.this",
        "aws_lambda_permission.gateway",
        "aws_lambda_permission.gateway_health",
    },
    # The first calls could neither read nor log.
    ("api", "aws_lambda_function.this"): {"aws_iam_role_policy.function"},
    ("api", "aws_lambda_function.health"): {"aws_iam_role_policy.health"},
    # API Gateway checks what the role may do when it is told of it.
    ("api", "aws_api_gateway_account.this"): {"aws_iam_role_policy_attachment.gateway_logs"},
    # The gateway would make the group itself, to be kept for ever.
    ("api", "aws_api_gateway_method_settings.all"): {"aws_cloudwatch_log_group.execution"},
    ("api", "aws_api_gateway_method_settings.health"): {"aws_cloudwatch_log_group.execution"},
    # A resolver keeps it for minutes that a name wasn't there.
    ("edge", "aws_route53_health_check.ready"): {"aws_route53_record.region"},
    ("edge", "aws_route53_health_check.not_taken_over"): {"aws_route53_record.region"},
    ("edge", "aws_route53_health_check.public_path"): {
        "aws_cloudfront_distribution.this",
        "aws_route53_record.origin",
        "aws_route53_record.public",
    },
}


@pytest.mark.parametrize(("module", "address"), AFTER)
def test_nothing_is_made_before_what_it_works_with(module: str, address: str) -> None:
    assert resources(module)[address].listed("depends_on") == AFTER[module, address]


def test_no_certificate_or_deployment_goes_before_the_new_one_is_there() -> None:
    for module, addresses in MADE_BEFORE_THE_OLD_ONE_GOES.items():
        found = resources(module)
        written = {one for one in found if "create_before_destroy = true" in found[one].body}
        assert written == addresses


def test_a_deployment_comes_after_all_that_it_is_a_copy_of() -> None:
    """Whatever of the API's is made after it isn't in it: a route without an authorizer, say."""
    found = resources("api")
    copied = {
        address
        for address, one in found.items()
        if re.search(r"\brest_api_id +=", one.body)
        and not address.startswith(("aws_api_gateway_deployment.", "aws_api_gateway_stage."))
        # A setting of the stage's; and a path is there with the methods that stand on it.
        and not address.startswith(
            ("aws_api_gateway_method_settings.", "aws_api_gateway_resource.")
        )
    }
    assert len(copied) == 10
    assert found["aws_api_gateway_deployment.this"].listed("depends_on") == copied


def test_an_origin_key_is_made_once() -> None:
    """uuid() is another one at every plan: the key that the edge sends would be let in no more."""
    key = resources("foundation")["terraform_data.origin_key"]
    assert key.listed("ignore_changes") == {"triggers_replace"}
    assert REFERENCE.findall(key.body) == []


def test_an_apply_moves_no_alias() -> None:
    """It would let a version serve that nobody has tried, and bring back what was rolled back."""
    for name in ("live", "health"):
        alias = resources("api")[f"aws_lambda_alias.{name}"]
        assert alias.listed("ignore_changes") == {"function_version", "routing_config"}
