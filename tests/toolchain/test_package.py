"""The Lambda package: same sources, same bytes; compiled for its runtime; pure Python."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from project.console import ToolchainError
from project.paths import TREE, Tree
from toolchain import package
from toolchain.package import (
    RUNTIME,
    archive,
    build_package,
    fetch_wheels,
    find_interpreter,
    packed_requirements,
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
    lock = (TREE.root / "lambda" / "requirements.txt").read_text()
    wheels = fetch_wheels(TREE, packed_requirements(lock))
    return {**unpacked(wheels), **sources(TREE.root / "lambda")}


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


def test_the_runtimes_own_boto3_is_left_to_the_runtime(packed: zipfile.ZipFile) -> None:
    top = {name.split("/")[0] for name in packed.namelist()}
    assert top & {"boto3", "botocore", "s3transfer", "urllib3", "dateutil", "six.py"} == set()
    assert {"aws_lambda_powertools", "jmespath", "fastjsonschema"} <= top


def test_its_size_is_at_most_a_third_of_fastapi_with_boto3(packed: zipfile.ZipFile) -> None:
    # Wheels of FastAPI, Starlette, pydantic with its core, Mangum, boto3 and botocore: 19 MB.
    # botocore alone, which is locked here too, is 16, and so a bound that any of them exceeds.
    size = sum(entry.compress_size for entry in packed.infolist())
    assert size < 16_000_000 / 3


def test_everything_it_needs_beyond_the_runtime_is_inside(
    packed: zipfile.ZipFile, tmp_path: Path
) -> None:
    packed.extractall(tmp_path / "task")
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    site = next((TREE.venv / "lib").glob("python*")) / "site-packages"
    for name in ("boto3", "botocore", "s3transfer", "urllib3", "dateutil", "six.py"):
        (runtime / name).symlink_to(site / name)
    task = f"import sys; sys.path[:0] = [{str(tmp_path / 'task')!r}, {str(runtime)!r}]"
    imports = "import aws_lambda_powertools, aws_xray_sdk.core, fastjsonschema, jmespath, wrapt"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"{task}; {imports}; print(jmespath.__file__)"],
        env={"AWS_XRAY_SDK_ENABLED": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path / "task"))


def test_machine_code_in_a_wheel_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "fast-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as contents:
        contents.writestr("fast/_speedups.cpython-313-x86_64-linux-gnu.so", b"\x7fELF")
    with pytest.raises(ToolchainError, match="machine code: fast/_speedups"):
        unpacked([wheel])


def test_the_lock_keeps_every_hash_of_what_is_packed_and_drops_the_runtimes_own() -> None:
    lock = (
        "# made by make lock\n"
        "botocore==1.0 \\\n    --hash=sha256:aa\n    # via aws-xray-sdk\n"
        "jmespath==1.1.0 ; python_version > '3' \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"
        "    # via x\n"
    )
    assert packed_requirements(lock) == (
        "jmespath==1.1.0 ; python_version > '3' \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"
    )


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
