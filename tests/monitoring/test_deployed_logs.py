"""Who may read what is logged: every log has the account's key, and no web ACL shows a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.monitoring.places import Place

GLOBAL = "us-east-1"
SECRETS = {"authorization", "cookie", "x-origin-key"}


def test_every_log_is_encrypted_with_the_key_of_its_region(by_region: Mapping[str, Place]) -> None:
    for place in by_region.values():
        keys = place.client("kms").list_aliases()["Aliases"]
        (key,) = {
            each["TargetKeyId"] for each in keys if each["AliasName"] == f"alias/{place.name}-logs"
        }
        groups = list(_log_groups(place))
        assert len(groups) >= (6 if place.region == GLOBAL else 4), groups
        lost = [each["logGroupName"] for each in groups if key not in each.get("kmsKeyId", "")]
        assert not lost


def _log_groups(place: Place) -> Iterator[dict[str, Any]]:
    for page in place.client("logs").get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            if place.name in group["logGroupName"]:
                yield group


def test_a_web_acl_shows_no_secret_in_its_log_nor_in_its_samples(
    by_region: Mapping[str, Place],
) -> None:
    scopes = [(place, "REGIONAL", "-api") for place in by_region.values()]
    for place, scope, suffix in [*scopes, (by_region[GLOBAL], "CLOUDFRONT", "-edge")]:
        client = place.client("wafv2")
        (found,) = [
            acl
            for acl in client.list_web_acls(Scope=scope)["WebACLs"]
            if acl["Name"] == f"{place.name}{suffix}"
        ]
        log = client.get_logging_configuration(ResourceArn=found["ARN"])["LoggingConfiguration"]
        assert {field["SingleHeader"]["Name"] for field in log["RedactedFields"]} == SECRETS
        web_acl = client.get_web_acl(Scope=scope, Name=found["Name"], Id=found["Id"])["WebACL"]
        (protection,) = web_acl["DataProtectionConfig"]["DataProtections"]
        assert set(protection["Field"]["FieldKeys"]) == SECRETS
