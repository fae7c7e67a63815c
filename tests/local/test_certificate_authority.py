"""The certificate authority: for this machine's names, for a month, and no client errs."""

from __future__ import annotations

import socket
import ssl
import stat
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import trustme
from cryptography import x509

from local import certificate_authority
from local.certificate_authority import Authority, ServerNames, load, open_authority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OURS = ["localhost", "api.landing.localhost", "us-east-1.landing.localhost"]
OTHERS = ["example.com", "notlocalhost", "localhost.example.com", "evil-localhost"]


def days_left(folder: Path) -> float:
    certificate = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    return (certificate.not_valid_after_utc - datetime.now(UTC)) / timedelta(days=1)


@contextmanager
def serving(made: Authority, name: str) -> Iterator[int]:
    """A TLS server that shows a certificate for `name`; gives its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    load(context, *made.issue(name))
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            accepted, _ = listener.accept()
            with accepted:
                try:
                    with context.wrap_socket(accepted, server_side=True) as wrapped:
                        wrapped.recv(1024)
                        wrapped.sendall(b"HTTP/1.1 204 OK\r\nconnection: close\r\n\r\n")
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)


def python_says(folder: Path, made: Authority, name: str) -> str:
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
    with serving(made, name) as port, socket.create_connection(("127.0.0.1", port)) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=name) as wrapped:
                wrapped.sendall(b"GET / HTTP/1.1\r\n\r\n")
                return wrapped.recv(12).decode()
        except ssl.SSLCertVerificationError as error:
            return error.verify_message


def curl_says(folder: Path, made: Authority, name: str) -> str:
    with serving(made, name) as port:
        command = ["curl", "-sS", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code}"]
        command += ["--resolve", f"{name}:{port}:127.0.0.1", "--max-time", "10"]
        command += ["--cacert", str(folder / "bundle.pem"), f"https://{name}:{port}/"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else done.stderr


@pytest.mark.parametrize("name", OURS)
def test_clients_trust_it_for_this_machines_names(tmp_path: Path, name: str) -> None:
    made = open_authority(tmp_path)

    assert python_says(tmp_path, made, name) == "HTTP/1.1 204"
    assert curl_says(tmp_path, made, name) == "204"


@pytest.mark.parametrize("name", OTHERS)
def test_clients_refuse_whatever_else_its_key_signs(tmp_path: Path, name: str) -> None:
    made = open_authority(tmp_path)

    assert "permitted subtree violation" in python_says(tmp_path, made, name)
    assert "permitted subtree violation" in curl_says(tmp_path, made, name)


def test_it_is_for_a_month_and_its_certificates_no_longer(tmp_path: Path) -> None:
    made = open_authority(tmp_path)
    leaf = x509.load_pem_x509_certificate(made.issue("localhost")[0])

    assert 29 < days_left(tmp_path) <= 30
    assert leaf.not_valid_after_utc == made.certificate.not_valid_after_utc
    assert stat.S_IMODE((tmp_path / "ca.key").stat().st_mode) == 0o600


@pytest.mark.parametrize(("days", "kept"), [(8, True), (6, False), (-1, False)])
def test_it_is_made_anew_in_its_last_week(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, kept: bool
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(certificate_authority, "LIFE", timedelta(days=days))
        earlier.setattr(certificate_authority, "BACKDATED", timedelta(days=40))
        before = open_authority(tmp_path).certificate
    exported = tmp_path / "bundle.pem"

    now = open_authority(tmp_path)

    assert (now.certificate == before) is kept
    # A shell that was given the bundle's path before finds the authority of today there.
    assert certificate_authority._pem(now.certificate) in exported.read_bytes()
    assert python_says(tmp_path, now, "localhost") == "HTTP/1.1 204"


def test_one_without_constraints_is_replaced(tmp_path: Path) -> None:
    old = trustme.CA()
    (tmp_path / "ca.pem").write_bytes(old.cert_pem.bytes())
    (tmp_path / "ca.key").write_bytes(old.private_key_pem.bytes())

    now = open_authority(tmp_path)

    assert now.is_fit
    assert old.cert_pem.bytes() not in (tmp_path / "bundle.pem").read_bytes()


def test_a_key_that_does_not_belong_to_it_is_replaced(tmp_path: Path) -> None:
    open_authority(tmp_path)
    key = (tmp_path / "ca.key").read_bytes()
    (tmp_path / "ca.pem").unlink()
    open_authority(tmp_path)
    (tmp_path / "ca.key").write_bytes(key)

    assert python_says(tmp_path, open_authority(tmp_path), "localhost") == "HTTP/1.1 204"


def test_it_is_kept_over_a_restart(tmp_path: Path) -> None:
    before = open_authority(tmp_path)

    assert open_authority(tmp_path).certificate == before.certificate
    assert not replace(before, certificate=_unconstrained()).is_fit


def _unconstrained() -> x509.Certificate:
    return x509.load_pem_x509_certificate(trustme.CA().cert_pem.bytes())


@pytest.mark.parametrize("name", OTHERS)
def test_the_server_shows_none_for_another_name(tmp_path: Path, name: str) -> None:
    names = ServerNames(open_authority(tmp_path), lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    nobody = ssl.SSLObject.__new__(ssl.SSLObject)

    assert names.choose(nobody, name, names.context("localhost"))
