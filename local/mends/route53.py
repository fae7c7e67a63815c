"""Mends of Route 53."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

from ministack.services import route53


def health_check_lists() -> None:
    """A health check's `Regions` and `ChildHealthChecks` are read as lists of empty texts.

    The parser looks for `Region` inside each `Region`. So Terraform sees `[null]`, and a
    calculated check has no children.
    """
    original = route53._parse_health_check_config

    def parse(element: Element) -> dict[str, Any]:
        config: dict[str, Any] = original(element)
        for name in ("ChildHealthChecks", "Regions"):
            if name in config:
                config[name] = [child.text for child in route53._find(element, name)]
        return config

    route53._parse_health_check_config = parse


MENDS = (health_check_lists,)
