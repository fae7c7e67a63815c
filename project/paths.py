"""Where things lie in the working tree."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Tree:
    """The paths that the toolchain owns or reads, all under one repository root."""

    root: Path

    @property
    def tools(self) -> Path:
        """Installed tools and their caches."""
        return self.root / ".tools"

    @property
    def tools_bin(self) -> Path:
        """The folder that is first on PATH."""
        return self.tools / "bin"

    @property
    def real_terragrunt(self) -> Path:
        """Terragrunt itself; bin/terragrunt is the shim that also knows `run-all`."""
        return self.tools / "libexec" / "terragrunt"

    @property
    def terraform_rc(self) -> Path:
        """The generated Terraform CLI configuration, when a provider mirror was found."""
        return self.tools / "terraform.rc"

    @property
    def venv(self) -> Path:
        """The locked Python environment."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The locked environment's interpreter."""
        return self.venv / "bin" / "python"

    @property
    def uv(self) -> Path:
        """The locked environment's uv, which resolves the Python locks."""
        return self.venv / "bin" / "uv"

    @property
    def package(self) -> Path:
        """The Lambda package."""
        return self.root / ".build" / "lambda.zip"

    @property
    def local_state(self) -> Path:
        """The embedded AWS' state, logs, certificates and Terraform state."""
        # Empty it would be the repository itself, which `make down` would remove.
        return self.root / (os.environ.get("LOCAL_STATE_DIR") or ".local")

    @property
    def ca(self) -> Path:
        """The embedded AWS' own CA certificate."""
        return self.local_state / "ca" / "ca.pem"

    @property
    def ca_bundle(self) -> Path:
        """The same beside the system's roots."""
        return self.local_state / "ca" / "bundle.pem"

    def account(self, name: str) -> Path:
        """Name the folder of one account."""
        return self.root / "live" / name

    def lock(self, name: str) -> Path:
        """Name the file that two runs of the same work agree on."""
        return self.tools / "locks" / name

    def shown(self, path: Path) -> str:
        """Write a path as people read it: from the root, where it is below it."""
        return str(path.relative_to(self.root) if path.is_relative_to(self.root) else path)


def write_atomically(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Put a file in place whole, whoever else writes or reads it at the same moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    fresh.write_bytes(content)
    fresh.chmod(mode)
    fresh.replace(path)


TREE = Tree(Path(__file__).resolve().parent.parent)
