"""`python3 -m toolchain`: see `make help`."""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - older ones get here, and no further
    sys.exit(
        "This project needs Python 3.11 or later, and python3 is {}.{}.\n"
        "Install one (Debian, Ubuntu: apt install python3.11 python3.11-venv; or pyenv, uv), then: "
        "make PYTHON=python3.11 up".format(*sys.version_info[:2])
    )

from toolchain.cli import main

sys.exit(main(sys.argv[1:]))
