"""The Lambda package: same sources, same bytes; compiled for its runtime; pure Python."""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import botocore
import pytest

from project.console import ToolchainError
from project.paths import TREE, Tree
from toolchain import package, sdk
from toolchain.package import (
    RUNTIME,
    archive,
    build_package,
    fetch_wheels,
    find_interpreter,
    locked,
    requirements,
    sources,
    unpacked,
)

# PEP 552: the flags word of a .pyc; bit 0 says hash-based, bit 1 that the hash is to be checked.
UNCHECKED_HASH = (1).to_bytes(4, "little")
PYC = "__pycache__/{}.cpython-313.pyc"


@pytest.fixture(scope="module")
def interpreter() -> Path:
    """The runtime's Python; what has no such interpreter can't prove what this file proves."""
    found = find_interpreter(RUNTIME, os.environ)
    assert found, "tests of the package need a Python {}.{}".format(*RUNTIME)
    return found


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """What the real package holds."""
    wheels = fetch_wheels(TREE, requirements(TREE))
    return {**sdk.reduced(unpacked(wheels)), **sources(TREE.root / "lambda")}


@pytest.fixture(scope="module")
def packed(files: dict[str, bytes], interpreter: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(archive(files, interpreter)))


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def test_built_twice_in_other_folders_under_another_umask_it_has_the_same_bytes(
    files: dict[str, bytes], interpreter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds = []
    for name, mask in (("a", 0o022), ("somewhere else/entirely", 0o077)):
        (tmp_path / name).mkdir(parents=True)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / name))
        monkeypatch.setenv("PYTHONHASHSEED", str(mask))
        with umask(mask):
            builds.append(archive(dict(reversed(files.items())) if mask else files, interpreter))
    assert builds[0] == builds[1]


def test_every_module_is_compiled_for_the_runtime_and_never_checked_against_its_source(
    packed: zipfile.ZipFile,
) -> None:
    names = set(packed.namelist())
    modules = [Path(name) for name in names if name.endswith(".py")]
    compiled = [(path.parent / PYC.format(path.stem)).as_posix() for path in modules]
    assert len(compiled) > 100
    assert set(compiled) <= names
    assert {packed.read(name)[4:8] for name in compiled} == {UNCHECKED_HASH}


def test_tracebacks_from_compiled_code_name_the_place_where_lambda_unpacks_it(
    packed: zipfile.ZipFile,
) -> None:
    compiled = packed.read(PYC.format("lambda_function"))
    assert b"/var/task/lambda_function.py" in compiled
    assert b"/tmp" not in compiled


def test_entries_are_sorted_and_carry_fixed_times_and_permissions(packed: zipfile.ZipFile) -> None:
    entries = packed.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {package.EPOCH}
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}


def test_it_carries_the_contract_and_its_schemas_and_nothing_that_only_developers_need(
    packed: zipfile.ZipFile,
) -> None:
    names = packed.namelist()
    assert {"lambda_function.py", "openapi.yaml", "schemas/item.json"} <= set(names)
    unwanted = re.compile(r"requirements\.|dist-info/|(^|/)tests/|\.pyi$|\.so(\.|$)|(^|/)\.")
    assert [name for name in names if unwanted.search(name)] == []


def test_it_carries_the_sdk_that_tests_run_with_and_nothing_that_it_has_no_use_for(
    files: dict[str, bytes], packed: zipfile.ZipFile
) -> None:
    top = {name.split("/")[0] for name in packed.namelist()}
    assert top == {
        *{"lambda_function.py", "health_function.py", "items", "schemas", "openapi.yaml"},
        *{"aws_lambda_powertools", "aws_xray_sdk", "botocore", "dateutil", "fastjsonschema"},
        *{"jmespath", "six.py", "typing_extensions.py", "urllib3", "wrapt"},
        *{"licenses", "__pycache__"},
    }
    version = re.search(r"^__version__ = '(.+)'$", files["botocore/__init__.py"].decode(), re.M)
    assert version
    assert version[1] == botocore.__version__


def test_every_licence_is_inside(files: dict[str, bytes]) -> None:
    lock = (TREE.root / "lambda" / "requirements.txt").read_text()
    pinned = {re.split(r"[ ;]", each.lines)[0].replace("==", "-") for each in locked(lock)}
    inside = {name.split("/")[1].replace("_", "-") for name in files if name.startswith("licenses")}
    assert inside == pinned
    assert b"Apache License" in files[f"licenses/botocore-{botocore.__version__}/LICENSE.txt"]
    assert f"licenses/botocore-{botocore.__version__}/NOTICE" in files


def test_a_licence_is_kept_wherever_a_wheel_has_it(tmp_path: Path) -> None:
    wheel = tmp_path / "some-1.0-py3-none-any.whl"
    names = ("LICENSE", "licenses/sub/COPYING.txt", "licenses/NOTICE", "METADATA", "licences.md")
    with zipfile.ZipFile(wheel, "w") as contents:
        for name in names:
            contents.writestr(f"some-1.0.dist-info/{name}", name)
    kept = ("LICENSE", "sub/COPYING.txt", "NOTICE")
    assert set(unpacked([wheel])) == {f"licenses/some-1.0/{name}" for name in kept}


def test_its_size_is_at_most_6_mb(packed: zipfile.ZipFile) -> None:
    # Wheels of FastAPI, Starlette, pydantic with its core, Mangum, boto3 and botocore: 19 MB.
    assert sum(entry.compress_size for entry in packed.infolist()) < 6_000_000


def test_machine_code_in_a_wheel_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "fast-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as contents:
        contents.writestr("fast/_speedups.cpython-313-x86_64-linux-gnu.so", b"\x7fELF")
    with pytest.raises(ToolchainError, match="machine code: fast/_speedups"):
        unpacked([wheel])


@pytest.fixture
def clone(tmp_path: Path) -> Tree:
    """A small clone whose function depends on nothing."""
    root = tmp_path / "clone" / "lambda"
    root.mkdir(parents=True)
    (root / "requirements.txt").write_text("")
    (root / "lambda_function.py").write_text("GREETING = 'hello'\n")
    cache = Tree(tmp_path / "clone").tools / "wheels"
    # The digest of an empty lock: nothing has to be downloaded.
    (cache / "e3b0c44298fc1c14").mkdir(parents=True)
    return Tree(tmp_path / "clone")


def test_it_is_built_again_when_a_source_changes_and_only_then(clone: Tree) -> None:
    assert build_package(clone) is True
    assert build_package(clone) is False
    before = clone.package.stat().st_mtime_ns
    os.utime(clone.root / "lambda" / "lambda_function.py")
    assert build_package(clone) is False
    assert clone.package.stat().st_mtime_ns == before
    (clone.root / "lambda" / "lambda_function.py").write_text("GREETING = 'bye'\n")
    assert build_package(clone) is True


def test_asked_for_by_several_at_once_it_is_built_by_one(clone: Tree) -> None:
    with ThreadPoolExecutor(4) as pool:
        built = list(pool.map(lambda _: build_package(clone), range(4)))
    assert sorted(built) == [False, False, False, True]
    assert zipfile.ZipFile(clone.package).testzip() is None


def test_a_build_that_was_cut_short_is_done_again(clone: Tree) -> None:
    build_package(clone)
    clone.package.with_suffix(".digest").unlink()
    assert build_package(clone) is True


def test_without_the_runtimes_python_it_holds_sources_only_and_says_so(
    clone: Tree, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(package, "find_interpreter", lambda *_: None)
    build_package(clone)
    assert zipfile.ZipFile(clone.package).namelist() == ["lambda_function.py"]
    assert "no Python 3.13 here" in capsys.readouterr().err


def test_code_that_does_not_compile_is_refused(clone: Tree, interpreter: Path) -> None:
    (clone.root / "lambda" / "lambda_function.py").write_text("def broken(:\n")
    with pytest.raises(ToolchainError, match=r"does not compile(.|\n)*invalid syntax"):
        build_package(clone)
    assert not clone.package.exists()


def test_code_that_does_not_compile_leaves_the_last_package_and_is_refused_again(
    clone: Tree, interpreter: Path
) -> None:
    build_package(clone)
    before = clone.package.read_bytes()
    (clone.root / "lambda" / "lambda_function.py").write_text("def broken(:\n")
    for _ in "ab":
        with pytest.raises(ToolchainError, match="does not compile"):
            build_package(clone)
    assert clone.package.read_bytes() == before
