"""The clone's own secret: made once, for its owner alone, whoever made the folder."""

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.settings import REPOSITORY
from project.credentials import FILE, CredentialsError, credentials_of, private_folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_each_clone_has_its_own_and_keeps_it(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    made = credentials_of(one)

    assert credentials_of(one) == made
    assert made.access_key_id == "000000000000"
    assert len(made.secret_access_key) == len(made.control_token) == 40
    assert len({made.secret_access_key, made.control_token}) == 2
    assert credentials_of(other).secret_access_key != made.secret_access_key
    assert made.secret_access_key not in repr(made)
    assert made.control_token not in repr(made)


@pytest.mark.parametrize("umask", [0, 0o077, 0o777])
def test_nobody_else_may_look_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(0o777)
    before = os.umask(umask)
    try:
        credentials_of(folder)
    finally:
        os.umask(before)

    assert (mode(folder), mode(folder / FILE)) == (0o700, 0o600)


def test_a_file_that_others_could_read_is_closed(tmp_path: Path) -> None:
    made = credentials_of(tmp_path)
    (tmp_path / FILE).chmod(0o644)

    assert credentials_of(tmp_path) == made
    assert mode(tmp_path / FILE) == 0o600


def test_who_comes_at_the_same_moment_gets_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(credentials_of, [folder] * 32))) == 1
    assert [path.name for path in folder.iterdir()] == [FILE]


def test_a_folder_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)

    with pytest.raises(CredentialsError, match="LOCAL_STATE_DIR"):
        private_folder(tmp_path)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"access_key_id": "a"}'])
def test_a_file_that_is_broken_says_what_to_do(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)

    with pytest.raises(CredentialsError, match="make up"):
        credentials_of(tmp_path)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "state"
    credentials_of(elsewhere)
    folder.mkdir()
    (folder / FILE).symlink_to(elsewhere / FILE)

    with pytest.raises(CredentialsError):
        credentials_of(folder)


def test_as_a_script_it_tells_the_place_and_never_the_secret(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    done = subprocess.run(
        [sys.executable, "-I", str(REPOSITORY / "project/credentials.py"), str(folder)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == str(folder / FILE)
    assert json.loads((folder / FILE).read_text())["secret_access_key"] not in done.stderr
