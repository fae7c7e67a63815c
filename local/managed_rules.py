"""AWS's managed rule groups for web ACLs, as far as AWS says by example what they match.

What a managed rule looks for is AWS's secret; the pages of the groups
(docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html) give examples,
and these are matched here as they stand there, without regard to case. All of these rules block
unless the web ACL overrides them. Not emulated: the rules without an example, IP reputation,
and Host_localhost_HEADER, for every name of the embedded AWS ends in .localhost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

# "Inspects for request bodies that are over 8 KB (8,192 bytes)" (SizeRestrictions_BODY).
MAX_BODY_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Components:
    """What of a request managed rules look at, as it was sent; header names in lower case."""

    uri_path: bytes
    query_string: bytes
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class ManagedRule:
    """A rule of a group: its name, and AWS's example of what it finds in a component."""

    name: str
    example: bytes = b""

    def matches(self, request: Components) -> bool:
        """Tell whether the rule's component holds what the rule looks for."""
        match self.name:
            case "NoUserAgent_HEADER":
                return not request.headers.get("user-agent")
            case "SizeRestrictions_BODY":
                return len(request.body) > MAX_BODY_BYTES
        return self.example in _component(self.name, request)


def _component(rule: str, request: Components) -> bytes:
    match rule.rpartition("_")[2]:
        case "BODY":
            return request.body.lower()
        case "HEADER":
            return "\n".join(request.headers.values()).encode().lower()
        case "URIPATH":
            return unquote_to_bytes(request.uri_path).lower()
    return unquote_to_bytes(request.query_string).lower()


def _rules(example: bytes, *names: str) -> list[ManagedRule]:
    return [ManagedRule(name, example) for name in names]


GROUPS: Mapping[str, Sequence[ManagedRule]] = {
    "AWSManagedRulesCommonRuleSet": [
        ManagedRule("NoUserAgent_HEADER"),
        ManagedRule("SizeRestrictions_BODY"),
        *_rules(
            b"169.254.169.254",
            "EC2MetaDataSSRF_BODY",
            "EC2MetaDataSSRF_URIPATH",
            "EC2MetaDataSSRF_QUERYARGUMENTS",
        ),
        *_rules(b"../../", "GenericLFI_QUERYARGUMENTS", "GenericLFI_URIPATH", "GenericLFI_BODY"),
        *_rules(
            b"<script>alert(",
            "CrossSiteScripting_QUERYARGUMENTS",
            "CrossSiteScripting_BODY",
            "CrossSiteScripting_URIPATH",
        ),
    ],
    "AWSManagedRulesKnownBadInputsRuleSet": [
        *_rules(
            b"(java.lang.runtime).getruntime().exec(",
            "JavaDeserializationRCE_HEADER",
            "JavaDeserializationRCE_BODY",
            "JavaDeserializationRCE_URIPATH",
            "JavaDeserializationRCE_QUERYSTRING",
        ),
        *_rules(
            b"${jndi:ldap://",
            "Log4JRCE_HEADER",
            "Log4JRCE_QUERYSTRING",
            "Log4JRCE_URIPATH",
            "Log4JRCE_BODY",
        ),
    ],
}
