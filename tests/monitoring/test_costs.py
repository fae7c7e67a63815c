"""What a deployment holds is what the estimate counts.

When this fails, put the numbers that were found into costs/estimate.toml, and run
`python -m costs --write`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from costs.arithmetic import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.monitoring.places import Place

GLOBAL = "us-east-1"


def test_the_estimate_counts_what_is_deployed(by_region: Mapping[str, Place]) -> None:
    found = {**_checks(by_region[GLOBAL]), **_alarms(by_region), **_rules(by_region)}
    found |= _keys_and_dashboards(by_region)
    estimate = read()

    assert {name: estimate.count(name) for name in found} == found


def _checks(place: Place) -> dict[str, int]:
    configs = [
        check["HealthCheckConfig"]
        for check in place.client("route53").list_health_checks()["HealthChecks"]
    ]
    intervals = [config.get("RequestInterval") for config in configs]
    return {
        "fast_checks": intervals.count(10),
        "canary_checks": intervals.count(30),
        "calculated_checks": [config["Type"] for config in configs].count("CALCULATED"),
    }


def _alarms(by_region: Mapping[str, Place]) -> dict[str, int]:
    counts = dict.fromkeys(
        (
            f"{of}_{what}"
            for of in ("region", "edge")
            for what in ("alarm_metrics", "composite_alarms")
        ),
        0,
    )
    for place in by_region.values():
        for alarm in _all_alarms(place):
            of = "edge" if alarm["AlarmName"].startswith(f"{place.name}-edge-") else "region"
            what = "composite_alarms" if "AlarmRule" in alarm else "alarm_metrics"
            counts[f"{of}_{what}"] += 1 if "AlarmRule" in alarm else _metrics(alarm)
    return counts


def _all_alarms(place: Place) -> Iterator[dict[str, Any]]:
    """All but the alarm on a reservation, which the defaults don't make."""
    pages = place.client("cloudwatch").get_paginator("describe_alarms")
    for page in pages.paginate(
        AlarmNamePrefix=f"{place.name}-", AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    ):
        for alarm in (*page["MetricAlarms"], *page["CompositeAlarms"]):
            if not alarm["AlarmName"].endswith("-function-concurrency"):
                yield alarm


def _metrics(alarm: dict[str, Any]) -> int:
    """How many metrics an alarm reads: one, or those of its expression."""
    queries = alarm.get("Metrics") or [{"MetricStat": {}}]
    return sum("MetricStat" in query for query in queries)


def _rules(by_region: Mapping[str, Place]) -> dict[str, int]:
    regional = {
        rules for place in by_region.values() for rules in _rules_of(place, "REGIONAL", "-api")
    }
    (edge,) = _rules_of(by_region[GLOBAL], "CLOUDFRONT", "-edge")
    (region,) = regional
    return {"region_web_acl_rules": region, "edge_web_acl_rules": edge}


def _rules_of(place: Place, scope: str, suffix: str) -> Iterator[int]:
    client = place.client("wafv2")
    for acl in client.list_web_acls(Scope=scope)["WebACLs"]:
        if acl["Name"] == f"{place.name}{suffix}":
            whole = client.get_web_acl(Scope=scope, Name=acl["Name"], Id=acl["Id"])["WebACL"]
            yield len(whole["Rules"])


def _keys_and_dashboards(by_region: Mapping[str, Place]) -> dict[str, int]:
    keys = [
        description
        for place in by_region.values()
        for description in _key_descriptions(place)
        if f"of {place.name}" in description
    ]
    boards = by_region[GLOBAL].client("cloudwatch").list_dashboards()["DashboardEntries"]
    names = [board["DashboardName"] for board in boards]
    edge = [name for name in names if name.endswith("-edge")]
    return {
        "table_keys": sum("the table" in key for key in keys),
        "log_keys": sum("the logs" in key for key in keys),
        "region_keys": sum("the alarms" in key and not key.endswith("-edge") for key in keys),
        "edge_keys": sum("the alarms" in key and key.endswith("-edge") for key in keys),
        "region_dashboards": len(names) - len(edge),
        "edge_dashboards": len(edge),
    }


def _key_descriptions(place: Place) -> Iterator[str]:
    client = place.client("kms")
    for key in client.list_keys()["Keys"]:
        yield str(client.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["Description"])
