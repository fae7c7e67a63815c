"""`python3 -m toolchain`: see `make help`."""

from __future__ import annotations

import sys

# What starts, uses or ends the embedded AWS.
if sys.platform != "linux" and sys.argv[1:2] in (["up"], ["down"], ["test"], ["alarms"], ["local"]):
    sys.exit(
        "The embedded AWS needs Linux, and this is {}: each Region has a loopback address of its "
        "own, which Linux alone has without further ado.\n"
        "Run the same command in a Linux virtual machine, or in a container: this folder has a dev "
        "container (.devcontainer/; `devcontainer up --workspace-folder .`, or VS Code's "
        '"Reopen in Container").'.format({"darwin": "macOS"}.get(sys.platform, sys.platform))
    )
if sys.version_info < (3, 11):  # noqa: UP036 - older ones get here, and no further
    sys.exit(
        "This project needs Python 3.11 or later, and python3 is {}.{}.\n"
        "Install one (Debian, Ubuntu: apt install python3.11 python3.11-venv; or pyenv, uv), then: "
        "make PYTHON=python3.11 up".format(*sys.version_info[:2])
    )

from toolchain.cli import main

sys.exit(main(sys.argv[1:]))
