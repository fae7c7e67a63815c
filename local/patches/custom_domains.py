"""The custom domains that ministack's API Gateway has, by name and Region."""

from __future__ import annotations

from dataclasses import dataclass

from ministack.services import apigateway_v1 as gateway


@dataclass(frozen=True, slots=True)
class Domain:
    """A custom domain as one Region knows it."""

    account: str
    region: str
    name: str


def registered(name: str) -> list[Domain]:
    """The Regions in which `name` is a custom domain."""
    lower = name.lower()
    return [
        Domain(account, region, stored)
        for (account, region, stored), _ in gateway._domain_names.all_items()
        if stored.lower() == lower
    ]


def regional() -> dict[str, str]:
    """Each Region's own name, `<region>.<domain>`, where it has one."""
    keys = [key for key, _ in gateway._domain_names.all_items()]
    return {region: name for _, region, name in keys if name.startswith(f"{region}.")}


def deployed_regions() -> frozenset[str]:
    """Every Region that has a custom domain."""
    return frozenset(region for (_, region, _), _ in gateway._domain_names.all_items())
