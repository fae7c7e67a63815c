"""A certificate authority made on the spot, and certificates for the names under it."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import certifi
import trustme

MAX_CONTEXTS = 256


@dataclass(frozen=True, slots=True)
class Authority:
    """The authority and where its files are."""

    ca: trustme.CA
    folder: Path


def open_authority(folder: Path) -> Authority:
    """The authority kept in `folder`, made there when there is none.

    Leaves `ca.pem` (the authority), `ca.key` (0600) and `bundle.pem` (the system's roots and
    the authority, for clients that take one file).
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    certificate, key = folder / "ca.pem", folder / "ca.key"
    if certificate.exists() and key.exists():
        ca = trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    else:
        ca = trustme.CA(
            organization_name="multi-region-landing",
            organization_unit_name="embedded AWS, this machine only",
            key_type=trustme.KeyType.ECDSA,
        )
        _write(key, ca.private_key_pem.bytes(), 0o600)
        _write(certificate, ca.cert_pem.bytes(), 0o644)
    _write(folder / "bundle.pem", _system_roots() + b"\n" + ca.cert_pem.bytes(), 0o644)
    return Authority(ca, folder)


class ServerNames:
    """TLS contexts by server name, made when a name is first asked for."""

    def __init__(self, authority: Authority, make_context: Callable[[], ssl.SSLContext]) -> None:
        self._authority = authority
        self._make = make_context
        self._contexts: dict[str, ssl.SSLContext] = {}

    def context(self, name: str) -> ssl.SSLContext:
        """The context that proves `name`."""
        if name not in self._contexts:
            if len(self._contexts) >= MAX_CONTEXTS:
                self._contexts.clear()
            context = self._make()
            leaf = self._authority.ca.issue_cert(name, key_type=trustme.KeyType.ECDSA)
            leaf.configure_cert(context)
            self._contexts[name] = context
        return self._contexts[name]

    def choose(
        self, connection: ssl.SSLObject, name: str | None, _default: ssl.SSLContext
    ) -> int | None:
        """An `sni_callback`: certificates are for `.localhost` names alone (RFC 6761, 6.3)."""
        wanted = (name or "localhost").lower()
        if wanted != "localhost" and not wanted.endswith(".localhost"):
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        try:
            connection.context = self.context(wanted)
        except ValueError:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        return None


def _write(path: Path, content: bytes, mode: int) -> None:
    staging = path.with_name(path.name + ".new")
    staging.unlink(missing_ok=True)
    handle = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as out:
        out.write(content)
    staging.replace(path)


def _system_roots() -> bytes:
    known = ssl.get_default_verify_paths()
    candidates = (known.cafile, "/etc/ssl/certs/ca-certificates.crt", certifi.where())
    found = next(path for path in candidates if path and Path(path).is_file())
    return Path(found).read_bytes()
