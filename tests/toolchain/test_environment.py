"""What a shell gets, what is installed when, and which message a person reads."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from project.account import read_account
from project.console import Phases, ToolchainError
from project.credentials import FILE, credentials_of
from project.emulator import PORTS
from project.environment import (
    BUNDLES,
    https_port,
    process_environment,
    settings_for,
    tool_settings,
)
from project.file_lock import exclusive
from project.paths import TREE, Tree
from project.shells import exports
from tests.support.accounts import DEV, LOCAL
from tests.support.ports import free_ports
from tests.support.wheels import hash_option, write_wheel
from toolchain import install as installing
from toolchain.install import REQUIRED_TOOLS, missing_prerequisites
from toolchain.python_environment import (
    LOCKS,
    STAMP,
    Environment,
    free_scripts,
    install_environment,
    install_python,
)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "it's a clone")


@pytest.mark.parametrize("value", ["plain", "it's", '$(touch pwned) `x` "y"', "a\nb", "\\'", ""])
@pytest.mark.parametrize("shell", [s for s in ("sh", "bash", "zsh", "fish") if shutil.which(s)])
def test_exports_survive_eval_whatever_they_hold(shell: str, value: str) -> None:
    script = f'{exports({"VALUE": value}, ["GONE", "NEVER_WAS"], shell)}\nprintf %s "$GONE$VALUE"'
    done = subprocess.run(
        [shell, "-c", script],
        env={**os.environ, "GONE": "here"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == value


def test_a_shell_of_another_kind_gets_its_own_words() -> None:
    assert exports({"A": "it's \\"}, ["B"], "fish") == "set -e B\nset -gx A 'it\\'s \\\\'\ntrue"
    with pytest.raises(ToolchainError, match="SHELL_KIND=tcsh is none of sh, bash"):
        exports({}, [], "tcsh")


def test_a_name_that_no_shell_has_is_no_command() -> None:
    assert exports({}, ["AWS_X;touch pwned"]) == ""


def test_the_pinned_tools_come_first_on_path_and_only_once(tree: Tree) -> None:
    once = tool_settings(tree, "local", {"PATH": "/usr/bin"})["PATH"]
    assert once == f"{tree.tools_bin}:{tree.venv / 'bin'}:/usr/bin"
    assert tool_settings(tree, "local", {"PATH": once})["PATH"] == once


def test_a_real_account_has_the_pinned_terragrunt_and_the_persons_own_aws(tree: Tree) -> None:
    theirs = tree.root.parent / "theirs"
    tools = {tree.tools_bin: ("terragrunt", "terraform"), tree.venv / "bin": ("aws", "python")}
    for folder, names in {**tools, theirs: ("terragrunt", "terraform", "aws")}.items():
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).touch(mode=0o755)

    # Also in a shell that was set up for the embedded AWS before.
    embedded = tool_settings(tree, "local", {"PATH": str(theirs)})
    for path in (str(theirs), embedded["PATH"]):
        found = tool_settings(tree, "dev", {"PATH": path})["PATH"]
        assert shutil.which("terragrunt", path=found) == str(tree.tools_bin / "terragrunt")
        assert shutil.which("terraform", path=found) == str(tree.tools_bin / "terraform")
        assert shutil.which("aws", path=found) == str(theirs / "aws")
        assert shutil.which("python", path=found) == str(tree.venv / "bin/python")


def test_the_embedded_account_never_sees_real_credentials(tree: Tree) -> None:
    real = dict.fromkeys(("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL"), "real")
    given = process_environment(tree, LOCAL, real)
    assert "real" not in given.values()
    assert given["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert given["AWS_ACCESS_KEY_ID"] == "000000000000"


def test_a_shell_is_given_the_clones_own_key(tree: Tree) -> None:
    given = settings_for(tree, LOCAL, {})

    assert given["AWS_SECRET_ACCESS_KEY"] == credentials_of(tree.local_state).secret_access_key
    assert given["AWS_SECRET_ACCESS_KEY"] not in settings_for(tree, DEV, {}).values()


def test_a_key_that_can_not_be_read_says_what_to_do(tree: Tree) -> None:
    credentials_of(tree.local_state)
    (tree.local_state / FILE).write_text("{")

    with pytest.raises(ToolchainError, match="make up"):
        settings_for(tree, LOCAL, {})


def test_a_real_account_keeps_its_credentials_and_is_never_led_to_the_embedded_one(
    tree: Tree,
) -> None:
    given = process_environment(tree, DEV, {"AWS_PROFILE": "mine", "PATH": "/usr/bin"})
    assert given["AWS_PROFILE"] == "mine"
    assert "AWS_ENDPOINT_URL" not in given
    assert "TG_NON_INTERACTIVE" not in settings_for(tree, DEV, {})


def test_the_generated_cli_configuration_is_exported_once_it_is_there(tree: Tree) -> None:
    assert "TF_CLI_CONFIG_FILE" not in tool_settings(tree, "local", {})
    tree.terraform_rc.parent.mkdir(parents=True)
    tree.terraform_rc.touch()
    assert tool_settings(tree, "local", {})["TF_CLI_CONFIG_FILE"] == str(tree.terraform_rc)


def test_every_account_of_this_repository_can_be_read() -> None:
    names = [path.parent.name for path in (TREE.root / "live").glob("*/account.hcl")]
    assert {"local", "dev", "prod"} <= set(names)
    assert all(read_account(TREE, name).primary_region for name in names)


def test_an_unknown_account_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(ToolchainError, match=r"no account 'stage'; there are: .*local"):
        read_account(TREE, "stage")


def make_env(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "-s", "env", *arguments],
        cwd=TREE.root,
        env={**os.environ, "MAKEFLAGS": "", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_make_env_works_before_anything_is_deployed(tmp_path: Path) -> None:
    ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
    done = make_env(LOCAL_STATE_DIR=str(tmp_path), **ports)
    assert done.returncode == 0
    assert "export AWS_ENDPOINT_URL=" in done.stdout
    assert "API_URL_PRIMARY" not in done.stdout
    assert "CURL_CA_BUNDLE" not in done.stdout, "curl refuses everything when its bundle is missing"
    assert "run `make up`" in done.stderr


def tools_of(exports: str) -> list[str]:
    """Where a shell that has evaluated the exports finds Terragrunt and Terraform."""
    script = f"{exports}\ncommand -v terragrunt; command -v terraform"
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.split()


PINNED = [str(TREE.tools_bin / name) for name in ("terragrunt", "terraform")]


def test_make_env_of_a_real_account_without_credentials_gives_the_tools(tmp_path: Path) -> None:
    done = make_env("ACCOUNT=dev", HOME=str(tmp_path), AWS_EC2_METADATA_DISABLED="true")

    assert done.returncode == 0
    assert tools_of(done.stdout) == PINNED
    assert done.stderr.startswith("note: no URLs and no pool yet. live/dev/account.hcl still has")
    assert len(done.stderr.splitlines()) == 1


def test_what_needs_the_locked_packages_runs_with_any_python() -> None:
    # -S: no package of anybody's, as in a shell whose python3 is the person's own.
    done = subprocess.run(
        [sys.executable, "-S", "-m", "toolchain", "sign-in", "--account", "dve"],
        cwd=TREE.root,
        env={name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "There is no account 'dve'" in done.stderr


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("ACCOUNT=none", "There is no account 'none'"),
        ("PYTHON=python-that-is-missing", "there is no python-that-is-missing"),
    ],
)
def test_eval_of_a_make_env_that_failed_fails_with_the_tools_there(typed: str, says: str) -> None:
    script = f'eval "$(make -s env {typed})" || echo failed; command -v terragrunt'
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=TREE.root,
        env={**os.environ, "PATH": os.environ["PATH"], "MAKEFLAGS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[0] == "failed"
    assert says in done.stderr
    if typed.startswith("ACCOUNT"):
        assert done.stdout.splitlines()[1:] == [str(TREE.tools_bin / "terragrunt")]


def test_a_local_shell_that_is_not_whole_still_leads_to_nobody_elses_account(
    tmp_path: Path,
) -> None:
    (tmp_path / FILE).write_text("{")
    done = subprocess.run(
        ["bash", "-c", 'eval "$(make -s env)" || echo failed; env'],
        cwd=TREE.root,
        env={**os.environ, "LOCAL_STATE_DIR": str(tmp_path), "AWS_PROFILE": "x", "MAKEFLAGS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    shown = set(done.stdout.splitlines())
    assert {"failed", "AWS_CONFIG_FILE=/dev/null", "AWS_ENDPOINT_URL=http://127.0.0.1:9"} <= shown
    assert "AWS_PROFILE=" not in done.stdout


def test_an_empty_state_folder_is_not_the_repository(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make down` removes that folder."""
    monkeypatch.setenv("LOCAL_STATE_DIR", "")
    assert tree.local_state == tree.root / ".local"


def test_a_port_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("abc", "0", "70000", "٤٥٦٦", "4566@example.com"):
        monkeypatch.setenv("LOCAL_HTTPS_PORT", text)
        with pytest.raises(ToolchainError, match=f"LOCAL_HTTPS_PORT={text} is no port"):
            https_port()


def test_a_python_that_is_too_old_is_named_before_anything_is_imported() -> None:
    script = (
        "import runpy, sys; sys.version_info = (3, 8, 0); "
        "runpy.run_path('toolchain/__main__.py', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=TREE.root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("This project needs Python 3.11 or later, and python3 is 3.8.")


def toolchain_on(platform: str, command: str) -> str:
    script = (
        f"import runpy, sys; sys.platform, sys.version_info = {platform!r}, (3, 8, 0); "
        f"sys.argv[1:] = [{command!r}]; "
        "runpy.run_path('toolchain/__main__.py', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=TREE.root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    return done.stderr


def test_macos_is_told_at_once_what_the_embedded_aws_needs() -> None:
    for command in ("up", "local", "test"):
        said = toolchain_on("darwin", command)
        assert said.startswith("The embedded AWS needs Linux, and this is macOS")
        assert ".devcontainer/" in said
    assert toolchain_on("darwin", "env").startswith("This project needs Python 3.11")


def test_the_dev_container_has_what_a_fresh_machine_needs() -> None:
    folder = TREE.root / ".devcontainer"
    settings = json.loads((folder / "devcontainer.json").read_text())
    packages = set((folder / settings["build"]["dockerfile"]).read_text().split())
    assert {*REQUIRED_TOOLS, "python3", "python3-venv"} <= packages


def test_a_missing_python_is_named() -> None:
    done = subprocess.run(
        ["make", "PYTHON=python-that-is-missing", "up"],
        cwd=TREE.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "needs Python 3.11 or later, and there is no python-that-is-missing" in done.stderr


def test_each_missing_tool_is_named_with_the_way_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing, "venv_missing", lambda: True)
    missing = missing_prerequisites(str(tmp_path))
    assert [line.split(":")[0] for line in missing] == ["make", "git", "curl", "python3's venv"]
    assert all("apt install" in line for line in missing)


@pytest.fixture
def empty_locks(tree: Tree) -> Tree:
    """A clone that needs no package, so that its environment is quick to make."""
    for lock in LOCKS:
        (tree.root / lock).parent.mkdir(parents=True, exist_ok=True)
        (tree.root / lock).write_text("")
    return tree


@pytest.mark.installs
def test_the_python_environment_is_made_once_and_again_when_a_lock_changes(
    empty_locks: Tree,
) -> None:
    assert install_python(empty_locks) is True
    assert install_python(empty_locks) is False
    (empty_locks.root / LOCKS[1]).write_text("# changed\n")
    assert install_python(empty_locks) is True
    (empty_locks.venv / STAMP).unlink()
    (empty_locks.venv / "left over").touch()
    assert install_python(empty_locks) is True, "an interrupted install is done again"
    assert not (empty_locks.venv / "left over").exists()


@pytest.mark.installs
def test_a_package_that_is_not_the_locked_one_is_refused_and_nothing_counts_as_installed(
    empty_locks: Tree,
) -> None:
    wheel = write_wheel(empty_locks.root, "evil")
    line, lock = wheel.as_uri().replace("%27", "'"), empty_locks.root / LOCKS[0]
    for other in ("", f"--hash=sha256:{'0' * 64}"):
        lock.write_text(f"{line} {other}\n")
        with pytest.raises(ToolchainError, match="Installing the locked Python packages failed"):
            install_python(empty_locks)
        assert not (empty_locks.venv / STAMP).exists()
        assert not list(empty_locks.venv.rglob("evil.py"))
    lock.write_text(f"{line} {hash_option(wheel)}\n")
    assert install_python(empty_locks) is True
    assert list(empty_locks.venv.rglob("evil.py"))


FAKE_PYTHON = f"""#!/bin/sh
[ "$1" = -c ] && echo "{sys.version_info[:2]}" && exit
env
exit 1
"""


@pytest.mark.parametrize("name", BUNDLES)
def test_a_bundle_that_is_not_there_yet_does_not_keep_pip_from_the_index(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    (lock := tmp_path / "lock").touch()
    made = Environment(tmp_path / "venv", (lock,))
    made.python.parent.mkdir(parents=True)
    made.python.write_text(FAKE_PYTHON)
    made.python.chmod(0o755)
    bundle = tmp_path / "bundle.pem"
    monkeypatch.setenv(name, str(bundle))
    named = []
    for there in (False, True):
        if there:
            bundle.touch()
        made.folder.joinpath(STAMP).write_text("another lock's")
        with pytest.raises(ToolchainError, match="Installing the locked Python packages failed"):
            install_environment(made, "a moment")
        named.append(f"{name}={bundle}\n" in capsys.readouterr().err)
    assert named == [False, True]


def test_who_comes_second_says_what_it_waits_for_and_then_goes_on(
    tree: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    lock, order = tree.lock("up"), list[str]()
    holds, leave = threading.Event(), threading.Event()

    def first() -> None:
        with exclusive(lock, "install"):
            holds.set()
            leave.wait(30)
            order.append("first")

    def second() -> None:
        with exclusive(lock, "install"):
            order.append("second")

    threads = [threading.Thread(target=first)]
    threads[0].start()
    assert holds.wait(30)
    threads.append(threading.Thread(target=second))
    threads[1].start()
    output = ""
    while "waiting" not in output:
        output += capsys.readouterr().err
    leave.set()
    for thread in threads:
        thread.join(30)
    assert f"Another install is running (process {os.getpid()}); waiting" in output
    assert order == ["first", "second"]


def test_phases_are_timed_also_when_they_fail() -> None:
    phases = Phases()
    with pytest.raises(ToolchainError), phases.phase("apply"):
        raise ToolchainError("no")
    assert list(phases.seconds) == ["apply"]
    assert "total" in phases.table()


# As pip writes them for a script of a wheel, for an entry point, and for that with a long path.
FIRST_LINES_OF_PIP = {
    "of a wheel": "#!{}/.venv/bin/python\n",
    "an entry point": "#!/bin/sh\n'''exec' \"{}/.venv/bin/python\" \"$0\" \"$@\"\n' '''\n",
}


@pytest.mark.parametrize("first_line", FIRST_LINES_OF_PIP.values(), ids=FIRST_LINES_OF_PIP.keys())
def test_a_tool_of_the_environment_runs_from_any_path_and_after_a_move(
    tmp_path: Path, first_line: str
) -> None:
    made, moved = Tree(tmp_path / "made here"), Tree(tmp_path / "clöne of Mr. O'Hara")
    scripts = made.venv / "bin"
    scripts.mkdir(parents=True)
    (scripts / "python").symlink_to(sys.executable)
    tool = scripts / "tool"
    tool.write_text(first_line.format(made.root) + "import sys\nprint(sys.argv[1:])\n")
    tool.chmod(0o755)

    free_scripts(made.venv)
    free_scripts(made.venv)
    made.root.rename(moved.root)

    found = {"PATH": f"{moved.venv / 'bin'}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["tool", "two words"], env=found, capture_output=True, text=True, check=False
    )
    assert done.stdout == "['two words']\n", done.stderr
