"""Builds the Lambda package: the same bytes from the same sources, on any machine of one kind."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import re
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from project.console import ToolchainError, say
from project.environment import without_missing_bundles
from project.file_lock import exclusive
from project.paths import Tree, write_atomically
from toolchain import sdk

# The Python of the function's runtime (modules/api, variable `runtime`).
RUNTIME = (3, 13)
# Where Lambda unpacks the package; compiled code carries it, so that tracebacks tell the truth.
TASK_ROOT = "/var/task"

# Nothing here is read at run time: no distribution's metadata, no sources of optional C parts.
NOT_PACKED = (
    "*.dist-info/*",
    "*.data/*",
    "*.pyi",
    "*/py.typed",
    "*.c",
    "*.h",
    "*/tests/*",
    "*/__pycache__/*",
)
# What a distribution's licence asks to go with it, from wherever its metadata has it.
LICENCE = re.compile(
    r"([^/]+)\.dist-info/(?:licenses/)?((?:[^/]+/)*(?:LICEN[CS]E|NOTICE|COPYING)[^/]*)"
)
NOT_SOURCES = (
    "requirements.*",
    "*/__pycache__/*",
    "__pycache__/*",
    ".*",
    "*/.*",
    "*.md",
    "tests/*",
    "released/*",
)
NATIVE = ("*.so", "*.so.*", "*.pyd", "*.dylib", "*.dll")

# The earliest time that the zip format can say.
EPOCH = (1980, 1, 1, 0, 0, 0)

COMPILE = """
import compileall, py_compile, sys
mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
done = compileall.compile_dir(
    sys.argv[1], quiet=1, force=True, invalidation_mode=mode,
    stripdir=sys.argv[1], prependdir=sys.argv[2], maxlevels=20,
)
sys.exit(0 if done else 1)
"""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One locked distribution, with the lines of the lock that pin its hashes."""

    name: str
    lines: str


def locked(text: str) -> list[Requirement]:
    """Read a lock in pip's format, hashes included."""
    blocks = re.findall(r"^[A-Za-z0-9][^\n]*(?:\n[ \t]+--hash[^\n]*)*", text, re.MULTILINE)
    return [
        Requirement(re.split(r"[=\s\[;]", block, maxsplit=1)[0].lower(), block) for block in blocks
    ]


def requirements(tree: Tree) -> str:
    """Give what the package carries: all of the lock, by version and hash.

    The SDK, too, though the runtime has one: it is the one that tests run with, and Lambda renews
    its own under a function. AWS recommends it (Lambda's python-package), and the package's own
    comes first: /var/task is the first place that an import looks at.
    """
    return "".join(f"{entry.lines}\n" for entry in locked(_lock(tree).read_text()))


def sources(root: Path) -> dict[str, bytes]:
    """Read the function's own files by the name that each has in the package."""
    found = (path for path in root.rglob("*") if path.is_file())
    named = ((path.relative_to(root).as_posix(), path) for path in found)
    return {name: path.read_bytes() for name, path in sorted(named) if not _is(name, NOT_SOURCES)}


def build_package(tree: Tree) -> bool:
    """Bring .build/lambda.zip up to date; False when it already was.

    Safe when several processes ask at once: one builds, the others wait and find it done.
    Raises ToolchainError when a dependency can't be had, or brings machine code.
    """
    interpreter = find_interpreter(RUNTIME, os.environ)
    stamp = tree.package.with_suffix(".digest")
    if _is_current(tree, interpreter, stamp):
        return False
    with exclusive(tree.lock("package"), "build of the Lambda package"):
        if _is_current(tree, interpreter, stamp):
            return False
        if interpreter is None:
            say(
                "  note: no Python {}.{} here, so the package carries sources only and starts "
                "slower in Lambda. Install one (pyenv, uv, apt) to have it compiled.".format(
                    *RUNTIME
                )
            )
        digest = _digest(tree, interpreter)
        wheels = fetch_wheels(tree, requirements(tree))
        files = {**sdk.reduced(unpacked(wheels)), **sources(tree.root / "lambda")}
        write_atomically(tree.package, archive(files, interpreter))
        write_atomically(stamp, digest.encode())
        say(f"  {tree.package.relative_to(tree.root)}: {tree.package.stat().st_size / 1e6:.2f} MB")
    return True


def _lock(tree: Tree) -> Path:
    return tree.root / "lambda" / "requirements.txt"


def _is_current(tree: Tree, interpreter: Path | None, stamp: Path) -> bool:
    if not (tree.package.is_file() and stamp.is_file()):
        return False
    return stamp.read_text() == _digest(tree, interpreter)


def _digest(tree: Tree, interpreter: Path | None) -> str:
    parts = hashlib.sha256()
    builders = (Path(__file__), *sdk.SOURCES)
    own = {builder.name: builder.read_bytes() for builder in builders}
    own["lock"] = _lock(tree).read_bytes()
    for name, content in {**own, **sources(tree.root / "lambda")}.items():
        parts.update(f"{name}\0{len(content)}\0".encode() + content)
    parts.update(_identity(interpreter).encode())
    return parts.hexdigest()


def _identity(interpreter: Path | None) -> str:
    # Compiled code is the same for every release of one minor version, save by accident.
    if interpreter is None:
        return "source only"
    about = interpreter.stat()
    return f"{interpreter} {about.st_size} {about.st_mtime_ns}"


def find_interpreter(version: tuple[int, int], environment: Mapping[str, str]) -> Path | None:
    """Find a Python of that minor version on PATH or where pyenv and uv keep theirs."""
    for candidate in _interpreters(version, environment):
        if not candidate.is_file():
            continue
        probe = [str(candidate), "-I", "-S", "-c", "import sys; print(*sys.version_info[:2])"]
        try:
            done = subprocess.run(probe, capture_output=True, text=True, check=False, timeout=20)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0 and done.stdout.split() == [str(part) for part in version]:
            return candidate
    return None


def _interpreters(version: tuple[int, int], environment: Mapping[str, str]) -> Iterator[Path]:
    name = "python{}.{}".format(*version)
    home = Path(environment.get("HOME", "/nonexistent"))
    pyenv = Path(environment.get("PYENV_ROOT", home / ".pyenv"))
    uv = Path(environment.get("UV_PYTHON_INSTALL_DIR", home / ".local/share/uv/python"))
    # pyenv's shim on PATH fails unless that version is switched on, so the real ones come first.
    yield from sorted(pyenv.glob(f"versions/{version[0]}.{version[1]}.*/bin/{name}"), reverse=True)
    yield from sorted(uv.glob(f"cpython-{version[0]}.{version[1]}*/bin/{name}"), reverse=True)
    yield from (
        Path(entry) / name for entry in environment.get("PATH", "").split(os.pathsep) if entry
    )


def fetch_wheels(tree: Tree, requirements: str) -> list[Path]:
    """Download the pure-Python wheels of a lock once, every one checked against its hash."""
    cache = tree.tools / "wheels" / hashlib.sha256(requirements.encode()).hexdigest()[:16]
    if not cache.is_dir():
        cache.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache.parent) as scratch:
            lock = Path(scratch) / "requirements.txt"
            lock.write_text(requirements)
            fresh = Path(scratch) / "wheels"
            _download(tree, lock, fresh)
            fresh.replace(cache)
    return sorted(cache.glob("*.whl"))


def _download(tree: Tree, lock: Path, into: Path) -> None:
    python = str(tree.python) if tree.python.exists() else sys.executable
    command = [python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-input", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    command += ["--platform", "any", "--implementation", "py", "--abi", "none"]
    command += ["--python-version", "{}.{}".format(*RUNTIME)]
    command += ["--requirement", str(lock), "--dest", str(into)]
    environment = without_missing_bundles(os.environ)
    if subprocess.run(command, env=environment, check=False, stdout=sys.stderr).returncode != 0:
        raise ToolchainError(
            "The function's dependencies could not be downloaded as pure-Python wheels; what went "
            "wrong stands above. Without a way to the package index, set PIP_INDEX_URL or "
            "PIP_FIND_LINKS, then run this again."
        )


def unpacked(wheels: Iterable[Path]) -> dict[str, bytes]:
    """Read what wheels would install, by its name in the package.

    Raises ToolchainError for machine code: the package has to run on every architecture.
    """
    files: dict[str, bytes] = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as contents:
            for entry in contents.infolist():
                name = _packed_name(entry.filename)
                if entry.is_dir() or _is(name, NOT_PACKED):
                    continue
                if _is(name, NATIVE):
                    raise ToolchainError(f"{wheel.name} brings machine code: {name}")
                files[name] = contents.read(entry)
    return files


def _packed_name(name: str) -> str:
    """Name a wheel's file as the package does."""
    licence = LICENCE.fullmatch(name)
    if licence:
        return f"licenses/{licence[1]}/{licence[2]}"
    return re.sub(r"^[^/]+\.data/(purelib|platlib)/", "", name)


def archive(files: Mapping[str, bytes], interpreter: Path | None) -> bytes:
    """Zip the files, with compiled code beside each source when there is an interpreter for it.

    Sources stay: tracebacks quote them, and another Python (the emulator's) runs from them.
    """
    with tempfile.TemporaryDirectory() as scratch:
        # One name for the stage: compiled code must not depend on where it was made.
        stage = Path(scratch) / "task"
        for name, content in files.items():
            target = stage / PurePosixPath(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        if interpreter is not None:
            _compile(stage, interpreter)
        return _zip(stage, Path(scratch) / "lambda.zip")


def _compile(stage: Path, interpreter: Path) -> None:
    command = [str(interpreter), "-S", "-s", "-P", "-B", "-c", COMPILE, str(stage), TASK_ROOT]
    # The hash seed decides the order of sets, and so of the constants in compiled code.
    settings = {"PYTHONHASHSEED": "0", "PATH": os.defpath}
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ToolchainError(f"The package does not compile:\n{done.stdout}{done.stderr}")


def _zip(stage: Path, target: Path) -> bytes:
    with zipfile.ZipFile(target, "w") as contents:
        for path in sorted(path for path in stage.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(stage).as_posix(), EPOCH)
            entry.create_system = 3
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            contents.writestr(entry, path.read_bytes(), compresslevel=9)
    return target.read_bytes()


def _is(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
