"""Filter expressions, without a bench; cases from AWS's page on them (xray-console-filters)."""

import pytest

from local.xray.filters import Facts, FilterError, Service, compiled

FAULTY = Service(
    "items",
    "AWS::DynamoDB::Table",
    Facts({"fault": (True,), "error": (False,), "responsetime": (0.2,)}),
)
FACTS = Facts(
    {
        "ok": (True,),
        "error": (False,),
        "fault": (False,),
        "throttle": (False,),
        "partial": (False,),
        "responsetime": (1.5,),
        "duration": (6.0,),
        "http.status": (201,),
        "http.url": ("https://api.example.com/v1/items",),
        "http.method": ("POST",),
        "annotation.route": ("/v1/items",),
        "annotation.edge_request_id": ("a_B-c==",),
        "annotation.aws:api_stage": ("live",),
        "annotation.items": (3,),
        "annotation.cold": (True,),
    },
    (Service("api/live", "AWS::ApiGateway::Stage", Facts({"fault": (False,)})), FAULTY),
)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "ok",
        "!error",
        "fault = false",
        "error != true",
        "ok !partial duration < 7",
        "responsetime > 1",
        "duration >= 5 AND duration <= 8",
        "fault OR responsetime >= 1.5",
        "error and fault or ok",
        "!(error OR fault)",
        "http.status = 201",
        'http.url BEGINSWITH "https://api." AND http.url contains "/v1/"',
        'http.method != "GET"',
        'annotation.route = "/v1/items"',
        'annotation[route] ENDSWITH "items"',
        'annotation[aws:api_stage] = "live"',
        'annotation.edge_request_id = "a_B-c=="',
        "annotation.items > 2",
        "annotation.cold = true",
        "annotation.cold != false",
        "annotation.route",
        'service("items")',
        'service("items") { fault }',
        "service() { fault = true }",
        'service(id(name: "items", type: "AWS::DynamoDB::Table")) { responsetime < 1 } AND ok',
        '!service("elsewhere")',
        'group.name = "writes"',
    ],
)
def test_a_trace_is_picked(expression: str) -> None:
    assert compiled(expression, {"writes": 'http.method = "POST"'})(FACTS)


@pytest.mark.parametrize(
    "expression",
    [
        "error",
        "!ok",
        "fault = true",
        "responsetime > 1.5",
        "error OR fault AND ok",
        "(ok OR error) AND fault",
        'http.method = "GET"',
        'annotation.route = "/V1/ITEMS"',
        "annotation.items > 3",
        "annotation.cold = false",
        "annotation.missing",
        'annotation.missing = "x"',
        'user = "somebody"',
        'service("items") { error }',
        'service("api/live") { fault }',
        'service(id(name: "items", type: "AWS::Lambda")) { fault }',
        'group.name = "reads"',
    ],
)
def test_a_trace_is_not_picked(expression: str) -> None:
    assert not compiled(expression, {"reads": 'http.method = "GET"'})(FACTS)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ('edge("a", "b") { fault }', "knows no 'edge'"),
        ("availabilityzone", "knows no 'availabilityzone'"),
        ("responsetime > fast", "'fast' is no number"),
        ("responsetime CONTAINS 1", "responsetime can't be compared"),
        ('http.url > "a"', "http.url can't be compared"),
        ("http.url = a", "double quotes"),
        ("ok AND", "missing at the end"),
        ("(ok", r"'\)' is missing"),
        ("ok)", r"'\)' is one too many"),
        ("ok ; error", "can't be read"),
        ('group.name = "unknown"', "no group 'unknown'"),
        ('service(id(account: "1"))', "no 'account'"),
    ],
)
def test_what_is_not_understood_is_said(expression: str, reason: str) -> None:
    with pytest.raises(FilterError, match=reason):
        compiled(expression)
