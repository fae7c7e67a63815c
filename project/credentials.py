"""What makes a person of this machine the emulator's root: a secret of the clone's own.

One file in the state folder, for its owner alone, made by whoever needs it first. Run as a script
it makes the file of the state folder that it is given and prints the file's path: Terragrunt hands
that on to the provider, so that the secret itself is in no generated file.

The standard library alone: the toolchain reads it before anything is installed.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

# A key id that is an account's id is that account's root: ministack's rule.
ACCESS_KEY_ID = "000000000000"
FILE = "credentials.json"
# How the control token is sent.
CONTROL_HEADER = "x-local-control"


class CredentialsError(Exception):
    """The credentials can't be kept safe or read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Root's key, and the word that the emulator's own small API wants."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    control_token: str = field(repr=False)


def private_folder(folder: Path) -> Path:
    """Make `folder`, and let nobody but its owner in, whoever made it and however.

    Raises CredentialsError when it belongs to somebody else.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    if found.st_uid != os.geteuid():
        raise CredentialsError(
            f"{folder} belongs to another user (uid {found.st_uid}), who could read the emulator's "
            "secrets: set LOCAL_STATE_DIR to a folder of your own."
        )
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)
    return folder


def credentials_of(state_dir: Path) -> Credentials:
    """The clone's credentials, made now unless they are there.

    Raises CredentialsError.
    """
    file = private_folder(state_dir) / FILE
    if not file.exists():
        _make(file)
    return _read(file)


def _make(file: Path) -> None:
    made = Credentials(ACCESS_KEY_ID, secrets.token_urlsafe(30), secrets.token_urlsafe(30))
    # mkstemp makes it for its owner alone; a link, unlike a rename, lets the first of two win.
    handle, staging = tempfile.mkstemp(dir=file.parent, prefix=".credentials-")
    try:
        with os.fdopen(handle, "w") as out:
            json.dump(asdict(made), out)
        os.link(staging, file)
    except FileExistsError:
        return
    finally:
        os.unlink(staging)  # noqa: PTH108 - mkstemp gives a name


def _read(file: Path) -> Credentials:
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(handle) as text:
            if stat.S_IMODE(os.fstat(handle).st_mode) != 0o600:
                os.fchmod(handle, 0o600)
            return Credentials(**json.load(text))
    except OSError as error:
        raise CredentialsError(f"{file} can't be used: {error.strerror}.") from error
    except (ValueError, TypeError) as error:
        raise CredentialsError(
            f"{file} can't be used ({error}): run `make stop`, remove the file, then `make up`."
        ) from error


def main(state_dir: str) -> int:
    """Print where the credentials are kept."""
    try:
        credentials_of(Path(state_dir))
    except (CredentialsError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    sys.stdout.write(str(Path(state_dir) / FILE))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
