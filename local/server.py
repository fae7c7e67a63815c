"""The serving process: hypercorn on loopback, certificates by server name, one log."""

from __future__ import annotations

import asyncio
import logging
import logging.handlers
import os
import shutil
import signal
import ssl

from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config

from local import certificate_authority, http2_fields, single_write
from local.settings import LOOPBACK, Settings, process_environment
from project.credentials import private_folder

LOG_BYTES = 5 * 1024 * 1024
LOG_FILES = 3


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, in an environment of our own making.

    Raises SaveError when the state isn't saved at the end, UnreadableStateError when it can't be
    taken up.
    """
    environment = process_environment(settings, dict(os.environ))
    os.environ.clear()
    os.environ.update(environment)
    _prepare_folders(settings)
    _log_to_file(settings)
    asyncio.run(_serve(settings))


def _prepare_folders(settings: Settings) -> None:
    shutil.rmtree(settings.scratch, ignore_errors=True)
    for folder in (settings.state_dir, settings.state, settings.logs, settings.scratch):
        private_folder(folder)


def _log_to_file(settings: Settings) -> None:
    handler = logging.handlers.RotatingFileHandler(
        settings.log_file, maxBytes=LOG_BYTES, backupCount=LOG_FILES
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s [%(name)s] %(message)s"))
    logging.basicConfig(level=os.environ.get("LOCAL_LOG_LEVEL", "INFO"), handlers=[handler])


class HttpConfig(Config):
    """Hypercorn's configuration of the control plane's port."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.bind = [f"{LOOPBACK}:{settings.aws_port}"]
        self.include_server_header = False
        self.accesslog = None
        self.errorlog = logging.getLogger("hypercorn")
        self.graceful_timeout = 2.0
        # API Gateway refuses more than about 10 KB of headers; the function's URL may be long.
        self.h11_max_incomplete_size = 64 * 1024
        self.keep_alive_timeout = 60
        # Everybody comes at once after an outage; who finds the queue full tries again a second
        # later, as if the network had lost the connection.
        self.backlog = 1024


class TlsConfig(HttpConfig):
    """That of the HTTPS endpoints: the server name selects the certificate."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        authority = certificate_authority.open_authority(settings.ca)
        self._names = certificate_authority.ServerNames(authority, self._plain)

    @property
    def ssl_enabled(self) -> bool:
        """Always: the certificate is made, not configured."""
        return True

    def create_ssl_context(self) -> ssl.SSLContext:
        """The context that picks the certificate for the name a client asks for."""
        context = self._names.context("localhost")
        context.sni_callback = self._names.choose
        return context

    def _plain(self) -> ssl.SSLContext:
        context = super().create_ssl_context()
        assert context is not None
        return context


async def _serve(settings: Settings) -> None:
    # ministack reads its settings from the environment while it is imported: not before run().
    from local.app import Emulator  # noqa: PLC0415

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    single_write.install()
    http2_fields.install()
    emulator = Emulator(settings, TlsConfig(settings))
    config = HttpConfig(settings)
    await hypercorn_serve(emulator, config, shutdown_trigger=lambda: emulator.until(stop))  # type: ignore[arg-type]
    await emulator.end()
