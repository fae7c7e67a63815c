"""What ministack by itself lacks for the global layer; `tests/local/test_patches.py` says how."""

import copy
import json
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from ministack.core.responses import request_scope
from ministack.services import cloudfront, waf

from local.patches import cloudfront as patches

ACCOUNT = "111122223333"
ORIGIN = """
<Origin><Id>o</Id><DomainName>o.localhost</DomainName>
<ConnectionAttempts>2</ConnectionAttempts><ConnectionTimeout>3</ConnectionTimeout>
<CustomOriginConfig><OriginProtocolPolicy>https-only</OriginProtocolPolicy>
<OriginKeepaliveTimeout>7</OriginKeepaliveTimeout></CustomOriginConfig></Origin>
"""


def web_acls(handler: Any, data: dict[str, Any]) -> dict[str, Any]:
    """Call one of ministack's own WAFv2 operations, unpatched."""
    with request_scope(ACCOUNT, "us-east-1"):
        answer: dict[str, Any] = json.loads(handler(data)[2])
    return answer


def test_ministack_still_needs_the_edges_attempts_and_timeouts() -> None:
    origin = cloudfront._dataplane_origin(fromstring(ORIGIN))  # noqa: S314 - ours

    assert not origin.keys() & {"connection_attempts", "connection_timeout", "keepalive_timeout"}


def test_ministack_still_needs_another_way_to_an_origin() -> None:
    """By the system's resolver, at the origin's own port."""
    origin = cloudfront._dataplane_origin(fromstring(ORIGIN))  # noqa: S314 - ours

    assert cloudfront._origin_connect_target(origin, True) == ("o.localhost", 443, True)


def test_an_origin_has_its_attempts_and_its_timeouts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cloudfront, "_dataplane_origin", cloudfront._dataplane_origin)
    patches.origin_timeouts()

    own = cloudfront._dataplane_origin(fromstring(ORIGIN))  # noqa: S314 - ours
    usual = cloudfront._dataplane_origin(fromstring("<Origin/>"))  # noqa: S314 - ours

    names = ("connection_attempts", "connection_timeout", "keepalive_timeout")
    assert [own[name] for name in names] == [2, 3, 7]
    assert [usual[name] for name in names] == [3, 10, 5]


def test_ministack_still_needs_one_id_for_a_request_at_the_edge() -> None:
    origin: dict[str, Any] = {"domain_name": "o.localhost"}

    sent = [cloudfront._origin_request_headers(origin, {}, "", "")["X-Amz-Cf-Id"] for _ in "ab"]

    assert sent[0] != sent[1]


def test_ministack_still_needs_whole_web_acls() -> None:
    unknown = [{"Name": "r", "Priority": 0, "Statement": {"GeoMatchStatement": {}}}]
    acl = {
        "Name": "a",
        "Scope": "REGIONAL",
        "Rules": unknown,
        "Description": "1",
        "CustomResponseBodies": {"b": {"ContentType": "TEXT_PLAIN", "Content": "no"}},
        "DataProtectionConfig": {"DataProtections": []},
    }
    made = web_acls(waf._create_web_acl, acl)["Summary"]
    who = {"Id": made["Id"], "Scope": "REGIONAL", "LockToken": made["LockToken"]}
    web_acls(waf._update_web_acl, {**who, "Description": "2"})

    kept = web_acls(waf._get_web_acl, who)["WebACL"]
    assert kept["Description"] == "1"
    assert not {"CustomResponseBodies", "DataProtectionConfig"} & set(kept)


def test_ministack_still_needs_configurations_that_are_parsed_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parsed: list[str] = []

    def parse(text: str) -> Any:
        parsed.append(text)
        return fromstring(text)  # noqa: S314 - ours

    monkeypatch.setattr(cloudfront, "fromstring", parse)

    for _ in "ab":
        cloudfront.parse_distribution_dataplane_config({"config_xml": "<DistributionConfig/>"})

    assert len(parsed) == 2


READERS = ("_dist_config_el", "parse_distribution_dataplane_config", "_get_distribution_aliases")


@pytest.fixture
def _parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The patch, until the test ends: the module is the next test's, too."""
    for reader in READERS:
        monkeypatch.setattr(cloudfront, reader, getattr(cloudfront, reader))
    patches.configurations_are_parsed_once()


@pytest.mark.usefixtures("_parsed_once")
def test_what_a_request_needs_of_a_configuration_is_read_once_until_it_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copied: list[object] = []

    def copy_of(element: object) -> object:
        copied.append(element)
        return element

    monkeypatch.setattr(copy, "deepcopy", copy_of)
    alias = "<DistributionConfig><Aliases><Items><CNAME>{}</CNAME></Items></Aliases>{}"
    names = ("a.example", "b.example")
    of = {name: {"config_xml": alias.format(name, "</DistributionConfig>")} for name in names}

    for _ in range(3):
        for name, distribution in of.items():
            assert cloudfront._get_distribution_aliases(distribution) == [name]
            assert cloudfront.parse_distribution_dataplane_config(distribution)["origins"] == {}

    assert len(copied) == len(names) * 2


@pytest.mark.usefixtures("_parsed_once")
def test_each_reader_of_a_configuration_has_its_own() -> None:
    distribution = {"config_xml": "<DistributionConfig><Aliases/></DistributionConfig>"}

    cloudfront._dist_config_el(distribution).clear()

    assert len(cloudfront._dist_config_el(distribution)) == 1
