"""A provider mirror as an intruder would leave one: the right names, and a program of his own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolchain.cli_config import configuration
from toolchain.pins import PROVIDER, PROVIDER_HOST, platform_name

if TYPE_CHECKING:
    from pathlib import Path


class FakeMirror:
    """A mirror whose provider writes down that it was run; cli_config leads Terraform to it."""

    def __init__(self, folder: Path, version: str) -> None:
        self._marker = folder / "the fake provider was run"
        mirror = folder / "mirror"
        program = mirror / PROVIDER_HOST / PROVIDER / version / platform_name()
        program /= f"terraform-provider-aws_v{version}_x5"
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\ntouch '{self._marker}'\n")
        program.chmod(0o755)
        self.cli_config = folder / "fake.tfrc"
        self.cli_config.write_text(configuration(mirror))

    def was_run(self) -> bool:
        """Tell whether anything has started the fake provider."""
        return self._marker.exists()
