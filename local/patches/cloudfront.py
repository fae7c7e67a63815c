"""Patches of CloudFront."""

from __future__ import annotations

import copy
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import Element

from ministack.services import cloudfront


def has_additional_metrics(distribution: str) -> bool:
    """Whether the distribution has a monitoring subscription."""
    subscription = cloudfront._distributions[distribution].get("MonitoringSubscription") or {}
    return bool(subscription.get("RealtimeMetricsSubscriptionStatus") == "Enabled")


def response_headers_policy_lists() -> None:
    """A response headers policy reads back empty lists of headers that it never had.

    AWS leaves `CustomHeadersConfig` and `RemoveHeadersConfig` out; where they stand empty,
    Terraform reads empty blocks and wants to take them away again.
    """
    original = cloudfront._build_rhp_config_xml

    def build(parent: Element, config: dict[str, Any]) -> None:
        original(parent, config)
        for name, block in (
            ("CustomHeaders", "CustomHeadersConfig"),
            ("RemoveHeaders", "RemoveHeadersConfig"),
        ):
            element = cloudfront._find(parent, block)
            if element is not None and not config[name]:
                parent.remove(element)

    cloudfront._build_rhp_config_xml = build


def configurations_are_parsed_once() -> None:
    """Every request parses its distribution's configuration several times over.

    That is a fifth of what a request through the edge costs. Each reader still gets an element of
    its own, for some change theirs.
    """
    original = cloudfront._dist_config_el

    @lru_cache(maxsize=64)
    def parsed(config_xml: str) -> Element:
        element: Element = original({"config_xml": config_xml})
        return element

    def config_element(distribution: dict[str, Any]) -> Element:
        return copy.deepcopy(parsed(distribution.get("config_xml") or ""))

    cloudfront._dist_config_el = config_element


PATCHES = (response_headers_policy_lists, configurations_are_parsed_once)
