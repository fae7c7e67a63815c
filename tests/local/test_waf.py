"""What a web ACL decides: rules as tables, no emulator."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from local.waf import (
    InvalidWebAclError,
    NotEmulatedError,
    Rates,
    Verdict,
    WebRequest,
    check,
    evaluate,
)

REQUEST = WebRequest("GET", "/v1/items", {"x-key": "secret"}, "192.0.2.1")


def byte_match(
    component: dict[str, Any], constraint: str, text: str, *transformations: str
) -> dict[str, Any]:
    """A byte match, its text as it is on the wire."""
    return {
        "ByteMatchStatement": {
            "FieldToMatch": component,
            "PositionalConstraint": constraint,
            "SearchString": base64.b64encode(text.encode()).decode(),
            "TextTransformations": [
                {"Priority": number, "Type": kind}
                for number, kind in enumerate(transformations or ("NONE",))
            ],
        }
    }


PATH: dict[str, Any] = {"UriPath": {}}
KEY = {"SingleHeader": {"Name": "X-Key"}}


def rule(
    statement: dict[str, Any], action: dict[str, Any] | None = None, priority: int = 0
) -> dict[str, Any]:
    return {
        "Name": f"rule-{priority}",
        "Priority": priority,
        "Statement": statement,
        "Action": action or {"Block": {}},
    }


def acl(*rules: dict[str, Any], default: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"ARN": "arn", "DefaultAction": {default: {}}, "Rules": list(rules), **more}


def blocks(statement: dict[str, Any], request: WebRequest = REQUEST) -> bool:
    return not evaluate(acl(rule(statement)), request, Rates()).allowed


@pytest.mark.parametrize(
    ("constraint", "text", "matches"),
    [
        ("EXACTLY", "/v1/items", True),
        ("EXACTLY", "/v1/item", False),
        ("EXACTLY", "/V1/items", False),
        ("STARTS_WITH", "/v1", True),
        ("STARTS_WITH", "v1", False),
    ],
)
def test_where_in_the_path_a_text_must_stand(constraint: str, text: str, matches: bool) -> None:
    assert blocks(byte_match(PATH, constraint, text)) is matches


@pytest.mark.parametrize(
    ("component", "text", "matches"),
    [
        (KEY, "secret", True),
        (KEY, "secret ", False),
        ({"SingleHeader": {"Name": "x-other"}}, "", False),
        (PATH, "/v1/items", True),
    ],
)
def test_what_of_a_request_is_looked_at(
    component: dict[str, Any], text: str, matches: bool
) -> None:
    assert blocks(byte_match(component, "EXACTLY", text)) is matches


@pytest.mark.parametrize(
    ("sent", "transformations", "seen"),
    [
        ("/%41%2Fb", ("URL_DECODE",), "/A/b"),
        ("/%2541", ("URL_DECODE",), "/%41"),
        ("/a/%2E%2E/b", ("URL_DECODE", "NORMALIZE_PATH"), "/b"),
        ("/a/%2E%2E/b", ("NORMALIZE_PATH", "URL_DECODE"), "/a/../b"),
        ("//a/./b/../c", ("NORMALIZE_PATH",), "/a/c"),
        ("/a/", ("NORMALIZE_PATH",), "/a/"),
        ("/", ("NORMALIZE_PATH",), "/"),
        ("/%41", ("NONE",), "/%41"),
    ],
)
def test_a_text_is_transformed_in_order_before_it_is_compared(
    sent: str, transformations: tuple[str, ...], seen: str
) -> None:
    request = replace(REQUEST, path=sent)

    assert blocks(byte_match(PATH, "EXACTLY", seen, *transformations), request)


TRUE = byte_match(PATH, "STARTS_WITH", "/")
FALSE = byte_match(PATH, "EXACTLY", "-")


@pytest.mark.parametrize(
    ("statement", "matches"),
    [
        ({"OrStatement": {"Statements": [FALSE, TRUE]}}, True),
        ({"OrStatement": {"Statements": [FALSE, FALSE]}}, False),
        ({"OrStatement": {"Statements": [FALSE, {"OrStatement": {"Statements": [TRUE]}}]}}, True),
    ],
)
def test_statements_are_combined(statement: dict[str, Any], matches: bool) -> None:
    assert blocks(statement) is matches


def test_the_first_rule_by_priority_that_allows_or_blocks_decides() -> None:
    block, allow = rule(TRUE, {"Block": {}}, 2), rule(TRUE, {"Allow": {}}, 1)
    count = rule(TRUE, {"Count": {}}, 0)

    assert evaluate(acl(block, allow, count), REQUEST, Rates()) == Verdict(
        allowed=True, rule="rule-1", counted=("rule-0",)
    )
    assert evaluate(acl(block, count), REQUEST, Rates()) == Verdict(
        allowed=False, rule="rule-2", counted=("rule-0",)
    )


@pytest.mark.parametrize(("default", "allowed"), [("Allow", True), ("Block", False)])
def test_the_default_action_is_for_what_no_rule_decides(default: str, allowed: bool) -> None:
    verdict = evaluate(acl(rule(FALSE), default=default), REQUEST, Rates())

    assert verdict == Verdict(allowed=allowed)


COMMON, BAD_INPUTS = "AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"
FROM_A_BROWSER = replace(REQUEST, headers={"user-agent": "Mozilla/5.0"})
LOOKUP = b"${jndi:ldap://example.com/}"


def group(name: str, **overrides: dict[str, Any]) -> dict[str, Any]:
    """A rule that uses a managed group, with other actions for some of its rules."""
    actions = [{"Name": rule, "ActionToUse": action} for rule, action in overrides.items()]
    statement = {"VendorName": "AWS", "Name": name, "RuleActionOverrides": actions}
    return {
        "Name": "group",
        "Priority": 0,
        "Statement": {"ManagedRuleGroupStatement": statement},
        "OverrideAction": {"None": {}},
    }


@pytest.mark.parametrize(
    ("name", "changed", "matches"),
    [
        (BAD_INPUTS, {}, False),
        (BAD_INPUTS, {"body": LOOKUP}, True),
        (BAD_INPUTS, {"body": LOOKUP.upper()}, True),
        (BAD_INPUTS, {"query": "q=%24%7Bjndi:ldap://example.com/%7D"}, True),
        (BAD_INPUTS, {"path": "/$%7Bjndi:ldap://example.com/%7D"}, True),
        (BAD_INPUTS, {"headers": {"x-note": LOOKUP.decode()}}, True),
        (BAD_INPUTS, {"body": b"(java.lang.Runtime).getRuntime().exec('whoami')"}, True),
        (COMMON, {"body": LOOKUP}, False),
        (COMMON, {"headers": {}}, True),
        (COMMON, {"headers": {"user-agent": ""}}, True),
        (COMMON, {"body": b"<script>alert('hello')</script>"}, True),
        (COMMON, {"body": b"x" * 8192}, False),
        (COMMON, {"body": b"x" * 8193}, True),
        (COMMON, {"query": "file=../../etc/passwd"}, True),
        ("AWSManagedRulesAmazonIpReputationList", {"body": LOOKUP}, False),
    ],
)
def test_a_managed_group_blocks_what_aws_gives_as_an_example(
    name: str, changed: dict[str, Any], matches: bool
) -> None:
    web_acl = acl(group(name))

    check(web_acl)
    verdict = evaluate(web_acl, replace(FROM_A_BROWSER, **changed), Rates())
    assert verdict.allowed is not matches
    assert verdict.rule == ("group" if matches else None)


def test_a_managed_rule_that_counts_lets_through_what_no_other_blocks() -> None:
    web_acl = acl(group(BAD_INPUTS, Log4JRCE_BODY={"Count": {}}))
    quoted = replace(FROM_A_BROWSER, body=LOOKUP)

    assert evaluate(web_acl, quoted, Rates()) == Verdict(allowed=True, counted=("group",))
    attack = replace(quoted, query=LOOKUP.decode())
    assert not evaluate(web_acl, attack, Rates()).allowed


def test_a_group_that_counts_as_a_whole_blocks_nothing() -> None:
    counting = {**group(BAD_INPUTS), "OverrideAction": {"Count": {}}}

    verdict = evaluate(acl(counting), replace(FROM_A_BROWSER, body=LOOKUP), Rates())

    assert verdict == Verdict(allowed=True, counted=("group",))


def test_an_override_of_a_rule_that_no_group_has_is_ignored() -> None:
    web_acl = acl(group(BAD_INPUTS, Log4jRce_Body={"Count": {}}))

    check(web_acl)
    assert not evaluate(web_acl, replace(FROM_A_BROWSER, body=LOOKUP), Rates()).allowed


def rate(**more: Any) -> dict[str, Any]:
    return {"RateBasedStatement": {"Limit": 10, **more}}


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ({"AndStatement": {"Statements": [TRUE, FALSE]}}, "AndStatement"),
        ({"NotStatement": {"Statement": FALSE}}, "NotStatement"),
        ({"GeoMatchStatement": {"CountryCodes": ["DE"]}}, "GeoMatchStatement"),
        ({"OrStatement": {"Statements": [TRUE, {"IPSetReferenceStatement": {}}]}}, "IPSetRef"),
        (byte_match({"QueryString": {}}, "EXACTLY", "a"), "FieldToMatch QueryString"),
        (byte_match({"Body": {}}, "EXACTLY", "a"), "FieldToMatch Body"),
        (byte_match(PATH, "CONTAINS", "a"), "PositionalConstraint CONTAINS"),
        (byte_match(PATH, "EXACTLY", "a", "NONE", "LOWERCASE"), "TextTransformations LOWERCASE"),
        (rate(AggregateKeyType="FORWARDED_IP"), "AggregateKeyType FORWARDED_IP"),
        (rate(ScopeDownStatement=byte_match({"Method": {}}, "EXACTLY", "a")), "Method"),
    ],
)
def test_a_statement_that_is_not_emulated_is_refused_by_name(
    statement: dict[str, Any], named: str
) -> None:
    with pytest.raises(NotEmulatedError, match=f"{named}.* is not emulated"):
        check(acl(rule(statement)))


@pytest.mark.parametrize(
    ("web_acl", "named"),
    [
        (acl(rule(TRUE, {"Captcha": {}})), "Action Captcha"),
        (acl(rule(TRUE, {"Allow": {"CustomRequestHandling": {}}})), "CustomRequestHandling"),
        (acl({**rule(TRUE), "RuleLabels": [{"Name": "a"}]}), "RuleLabels"),
        (acl(group(COMMON, NoUserAgent_HEADER={"Challenge": {}})), "Action Challenge"),
    ],
)
def test_what_a_web_acl_would_not_do_is_refused_by_name(
    web_acl: dict[str, Any], named: str
) -> None:
    with pytest.raises(NotEmulatedError, match=f"{named}.* is not emulated"):
        check(web_acl)


def test_a_block_answers_as_its_rule_says() -> None:
    headers = [{"Name": "Retry-After", "Value": "300"}]
    custom = {"CustomResponse": {"ResponseCode": 429, "ResponseHeaders": headers}}
    web_acl = acl(rule(TRUE, {"Block": custom}))

    check(web_acl)
    verdict = evaluate(web_acl, REQUEST, Rates())
    assert (verdict.allowed, verdict.status) == (False, 429)
    assert verdict.headers == {"retry-after": "300"}


REFUSAL = {"CustomResponse": {"ResponseCode": 403, "CustomResponseBodyKey": "refusal"}}
BODIES = {"refusal": {"ContentType": "APPLICATION_JSON", "Content": '{"status":403}'}}


@pytest.mark.parametrize(
    "blocking",
    [rule(TRUE, {"Block": REFUSAL}), group(COMMON, NoUserAgent_HEADER={"Block": REFUSAL})],
    ids=["a rule", "a managed group's rule"],
)
def test_a_block_answers_with_its_rules_body(blocking: dict[str, Any]) -> None:
    web_acl = acl(blocking, CustomResponseBodies=BODIES)

    check(web_acl)
    verdict = evaluate(web_acl, REQUEST, Rates())
    assert (verdict.allowed, verdict.status, verdict.body) == (False, 403, b'{"status":403}')
    assert verdict.headers == {"content-type": "application/json"}


def test_a_body_that_the_web_acl_does_not_have_is_refused() -> None:
    for blocking in (
        rule(TRUE, {"Block": REFUSAL}),
        group(COMMON, NoUserAgent_HEADER={"Block": REFUSAL}),
    ):
        with pytest.raises(InvalidWebAclError, match="refusal"):
            check(acl(blocking))


def test_a_custom_response_cannot_say_its_content_type_by_a_header() -> None:
    headers = [{"Name": "Content-Type", "Value": "application/problem+json"}]
    custom = {"CustomResponse": {"ResponseCode": 403, "ResponseHeaders": headers}}

    with pytest.raises(InvalidWebAclError, match="content-type"):
        check(acl(rule(TRUE, {"Block": custom})))


class Traffic:
    """Requests to one web ACL with a rate rule, on a clock of its own."""

    def __init__(self, limit: int, window: int | None = None, **more: Any) -> None:
        statement: dict[str, Any] = {"Limit": limit, "AggregateKeyType": "IP", **more}
        if window:
            statement["EvaluationWindowSec"] = window
        self.acl = acl(rule({"RateBasedStatement": statement}))
        self.now = 1000.0
        self.rates = Rates(clock=lambda: self.now)

    def send(self, count: int = 1, source: str = "192.0.2.1", path: str = "/") -> list[bool]:
        request = replace(REQUEST, source=source, path=path)
        return [evaluate(self.acl, request, self.rates).allowed for _ in range(count)]


def test_an_address_over_its_limit_is_blocked_and_no_other() -> None:
    traffic = Traffic(limit=10)

    assert traffic.send(10) == [True] * 10
    assert traffic.send() == [False]
    assert traffic.send(source="192.0.2.2") == [True]


def test_requests_are_forgotten_after_the_evaluation_window() -> None:
    traffic = Traffic(limit=10, window=60)
    traffic.send(11)

    traffic.now += 59
    assert traffic.send() == [False]
    traffic.now += 2
    assert traffic.send() == [True]


def test_the_evaluation_window_is_five_minutes_unless_the_rule_says_otherwise() -> None:
    traffic = Traffic(limit=10)
    traffic.send(11)

    traffic.now += 299
    assert traffic.send() == [False]
    traffic.now += 2
    assert traffic.send() == [True]


def test_only_what_a_rate_rule_is_scoped_to_counts_and_is_blocked() -> None:
    scope = byte_match(PATH, "STARTS_WITH", "/health")
    traffic = Traffic(limit=2, ScopeDownStatement=scope)

    traffic.send(5, path="/v1")
    assert traffic.send(3, path="/health") == [True, True, False]
    assert traffic.send(path="/v1") == [True]
