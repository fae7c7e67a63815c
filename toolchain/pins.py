"""Which versions are pinned, where their releases are published, and what they must hash to."""

from __future__ import annotations

import platform
import re
from typing import TypeAlias

from project.console import ToolchainError

Version: TypeAlias = tuple[int, int, int]

PYTHON_AT_LEAST = (3, 11)

TERRAFORM = "1.11.4"
TERRAFORM_RANGE: tuple[Version, Version] = ((1, 10, 0), (2, 0, 0))
TERRAFORM_RELEASES = "https://releases.hashicorp.com/terraform"
TERRAFORM_SHA256 = {
    "linux_amd64": "1ce994251c00281d6845f0f268637ba50c0005657eb3cf096b92f753b42ef4dc",
    "linux_arm64": "a43d1d0da9b9bab214a8305a39db0e40869572594ccf50c416a7756499143633",
    "darwin_amd64": "a56d5002b9f7647291faccc3dd1a70350e60fb61e4c45037629508b8fdc2575b",
    "darwin_arm64": "867e0808fa971217043e25b7a792b10720c79b1546f8a68479b74f138be73e18",
}

TERRAGRUNT = "1.1.3"
TERRAGRUNT_RANGE: tuple[Version, Version] = ((1, 1, 0), (2, 0, 0))
TERRAGRUNT_RELEASES = "https://github.com/gruntwork-io/terragrunt/releases/download"
# Other platforms have no pinned sum here: they build from the module, whose sums are in go.sum.
TERRAGRUNT_SHA256 = {
    "linux_amd64": "d5da6a66741f4ee752aa3b502b57e47fd6d5c178942861b2507f14f083e7606e",
    "linux_arm64": "5e9b388402ab7075e907e8d8511662e2a828008129746e4e5e23de04c7b78ef4",
}

PROVIDER = "hashicorp/aws"
PROVIDER_HOST = "registry.terraform.io"

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def platform_name() -> str:
    """Name this machine as releases do, for instance linux_amd64.

    Raises ToolchainError on an architecture that no release exists for.
    """
    machine = platform.machine().lower()
    if machine not in _ARCHITECTURES:
        raise ToolchainError(
            f"No release of Terraform or Terragrunt is pinned for a {machine} processor. "
            "Put terraform 1.10 or later and terragrunt 1.1 or later on PATH, then run this again."
        )
    return f"{platform.system().lower()}_{_ARCHITECTURES[machine]}"


def parse_version(text: str) -> Version | None:
    """Find the first x.y.z in a tool's own words; None when there is none."""
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def fits(version: Version | None, within: tuple[Version, Version]) -> bool:
    """Tell whether a version is in a range that has its lower end and lacks its upper."""
    return version is not None and within[0] <= version < within[1]
