"""Whether alarms reach somebody, and whether one is on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from doctor.aws import GLOBAL_REGION, Aws
from doctor.expected import Expected
from doctor.finding import Finding, not_yet, ok, wrong


@dataclass(frozen=True, slots=True)
class Place:
    """What has alarms and a topic for them: a Region, or the edge; and the unit that makes them."""

    name: str
    region: str
    unit: str

    @property
    def subject(self) -> str:
        """What a person knows its topic by."""
        return f"subscriptions: {self.name}"


@dataclass(frozen=True, slots=True)
class Subscription:
    """Somebody whom a topic's alarms go to, once they have confirmed."""

    endpoint: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm as it stands; muted ones tell nobody."""

    name: str
    state: str
    muted: bool


def check(aws: Aws, expected: Expected) -> Iterator[Finding]:
    """Look at every topic of alarms, and at the alarms of every Region that has some."""
    for place in _places(expected):
        yield aws.attempt(place.subject, partial(_look_at_topic, aws, place, expected))
    for region in dict.fromkeys((*expected.regions, GLOBAL_REGION)):
        yield aws.attempt(_alarms_in(region), partial(_look_at_alarms, aws, region, expected))


def _places(expected: Expected) -> Iterator[Place]:
    for region in expected.regions:
        yield Place(region, region, f"{region}/api")
    yield Place("edge", GLOBAL_REGION, "global/edge")


def _look_at_topic(aws: Aws, place: Place, expected: Expected) -> Finding:
    client = aws.client("sns", place.region)
    where = f"{aws.partition(place.region)}:sns:{place.region}:{expected.account.account_id}"
    try:
        found = _subscriptions(client, f"arn:{where}:{expected.name}-{place.name}-alarms")
    except client.exceptions.NotFoundException:
        return not_yet(place.subject, place.unit)
    return judge_subscriptions(place, found, expected)


def _look_at_alarms(aws: Aws, region: str, expected: Expected) -> Finding:
    return judge_alarms(region, _alarms(aws, region, expected))


def _subscriptions(client: Any, arn: str) -> list[Subscription]:  # noqa: ANN401 - no types
    pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
    # Until it is confirmed it has no ARN, but the word PendingConfirmation.
    return [
        Subscription(each["Endpoint"], each["SubscriptionArn"].startswith("arn:"))
        for page in pages
        for each in page["Subscriptions"]
    ]


def _alarms(aws: Aws, region: str, expected: Expected) -> list[Alarm]:
    pages = (
        aws.client("cloudwatch", region)
        .get_paginator("describe_alarms")
        .paginate(AlarmNamePrefix=f"{expected.name}-", AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    )
    return [
        Alarm(each["AlarmName"], each["StateValue"], not each["ActionsEnabled"])
        for page in pages
        for each in (*page["MetricAlarms"], *page["CompositeAlarms"])
    ]


def judge_subscriptions(place: Place, found: Sequence[Subscription], expected: Expected) -> Finding:
    """Judge whether everybody whom account.hcl names gets a topic's alarms."""
    pending = [each.endpoint for each in found if not each.confirmed]
    missing = sorted(set(expected.alarm_emails) - {each.endpoint for each in found})
    if pending:
        do = "open the link in AWS's message; if it is older than two days, apply for a new one"
        return wrong(place.subject, f"not confirmed: {', '.join(pending)}", do)
    if missing:
        return wrong(place.subject, f"not subscribed: {', '.join(missing)}", f"apply {place.unit}")
    if found:
        return ok(place.subject, f"confirmed: {', '.join(each.endpoint for each in found)}")
    if expected.deletion_protection and expected.alarms_reach_somebody:
        return wrong(
            place.subject, "alarms reach nobody", f"set alarm_emails in {expected.file}, apply"
        )
    return ok(place.subject, f"nobody, as {expected.file} says")


def _alarms_in(region: str) -> str:
    return f"alarms in {region}"


def judge_alarms(region: str, alarms: Sequence[Alarm]) -> Finding:
    """Judge whether a Region's alarms are quiet, and could be loud."""
    subject = _alarms_in(region)
    if not alarms:
        return not_yet(subject, "the units of that Region")
    if on := [each.name for each in alarms if each.state == "ALARM"]:
        return wrong(subject, f"on: {', '.join(on)}", "follow the runbook that the alarm names")
    if muted := [each.name for each in alarms if each.muted]:
        do = (
            f"aws cloudwatch enable-alarm-actions --region {region} --alarm-names {' '.join(muted)}"
        )
        return wrong(subject, f"muted: {', '.join(muted)}", do)
    without = sum(each.state == "INSUFFICIENT_DATA" for each in alarms)
    return ok(subject, f"{len(alarms)}, all quiet" + (f", {without} without data" * bool(without)))
