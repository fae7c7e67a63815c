"""Which versions are pinned, where their releases are published, and what they must hash to."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from typing import TypeAlias

from project.console import ToolchainError

Version: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Archive:
    """One file of a release: its name, and the SHA-256 that it must have."""

    name: str
    sha256: str


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

# What `make check` alone needs.
OASDIFF = "1.33.0"
OASDIFF_RELEASES = "https://github.com/oasdiff/oasdiff/releases/download"
_OASDIFF_DARWIN = Archive(
    f"oasdiff_{OASDIFF}_darwin_all.tar.gz",
    "2a479337c15afdcbf0b1e89c0b4d0cf0176472dbc11483358fed1f831d1e46c5",
)
OASDIFF_ARCHIVES = {
    "linux_amd64": Archive(
        f"oasdiff_{OASDIFF}_linux_amd64.tar.gz",
        "43a4e328e2d13ba1552d760aa68d2485c75c5621f309f6ff64ae895188345247",
    ),
    "linux_arm64": Archive(
        f"oasdiff_{OASDIFF}_linux_arm64.tar.gz",
        "4ae3c362d6074d919aada2dea82d0ee84366591600384455d0bdc658ddf8f7ae",
    ),
    "darwin_amd64": _OASDIFF_DARWIN,
    "darwin_arm64": _OASDIFF_DARWIN,
}
ACTIONLINT = "1.7.12"
ACTIONLINT_RELEASES = "https://github.com/rhysd/actionlint/releases/download"
ACTIONLINT_ARCHIVES = {
    platform: Archive(f"actionlint_{ACTIONLINT}_{platform}.tar.gz", sha256)
    for platform, sha256 in {
        "linux_amd64": "8aca8db96f1b94770f1b0d72b6dddcb1ebb8123cb3712530b08cc387b349a3d8",
        "linux_arm64": "325e971b6ba9bfa504672e29be93c24981eeb1c07576d730e9f7c8805afff0c6",
        "darwin_amd64": "5b44c3bc2255115c9b69e30efc0fecdf498fdb63c5d58e17084fd5f16324c644",
        "darwin_arm64": "aba9ced2dee8d27fecca3dc7feb1a7f9a52caefa1eb46f3271ea66b6e0e6953f",
    }.items()
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
