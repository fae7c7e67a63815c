"""Wheels that an installer takes, so that a refusal is for what a test is about."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path


def write_wheel(folder: Path, name: str) -> Path:
    """Write one of a single empty module, in version 1.0, and give its path."""
    folder.mkdir(parents=True, exist_ok=True)
    wheel, about = folder / f"{name}-1.0-py3-none-any.whl", f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": "",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in (*files, f"{about}/RECORD"))
    with zipfile.ZipFile(wheel, "w") as archive:
        for file, text in {**files, f"{about}/RECORD": record}.items():
            archive.writestr(file, text)
    return wheel


def hash_option(path: Path) -> str:
    """Give the end of the line that locks a file."""
    return f"--hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
