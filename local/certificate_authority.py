"""A certificate authority made on the spot, and certificates for the names under `.localhost`.

Who trusts it trusts it for this machine's names alone, and not for long: a name constraint
(RFC 5280, 4.2.1.10) makes every client refuse whatever else its key may sign.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from project.credentials import private_folder

MAX_CONTEXTS = 256
LIFE, RENEWED_BEFORE = timedelta(days=30), timedelta(days=7)
# A client's clock may be behind.
BACKDATED = timedelta(hours=1)
# The names that it may sign for. Addresses as well: without a word about them, all would do.
CONSTRAINTS = x509.NameConstraints(
    permitted_subtrees=[
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_network("127.0.0.0/8")),
    ],
    excluded_subtrees=None,
)


@dataclass(frozen=True, slots=True)
class Authority:
    """The authority's certificate and key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def is_fit(self) -> bool:
        """Whether it may be used on: constrained, and not about to end."""
        try:
            found = self.certificate.extensions.get_extension_for_class(x509.NameConstraints)
        except x509.ExtensionNotFound:
            return False
        left = self.certificate.not_valid_after_utc - datetime.now(UTC)
        return found.critical and found.value == CONSTRAINTS and left > RENEWED_BEFORE

    def issue(self, name: str) -> tuple[bytes, bytes]:
        """A certificate for a name and its key, as PEM. Raises ValueError for no DNS name."""
        key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        signer = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        certificate = (
            _builder(x509.Name([]), self.certificate.subject, key.public_key())
            .not_valid_after(self.certificate.not_valid_after_utc)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
            .add_extension(usage, critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(signer.value),
                critical=False,
            )
            .sign(self.key, hashes.SHA256())
        )
        return _pem(certificate), _key_pem(key)


def make_authority() -> Authority:
    """A new authority, good for LIFE."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "multi-region-landing"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "embedded AWS, this machine only"),
            # Told apart from the one before it: clients look for an issuer by its name.
            x509.NameAttribute(NameOID.SERIAL_NUMBER, f"{x509.random_serial_number():x}"[:16]),
        ]
    )
    signs = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
         "key_agreement", "crl_sign", "encipher_only", "decipher_only"), False,
    )  # fmt: skip
    certificate = (
        _builder(name, name, key.public_key())
        .not_valid_after(datetime.now(UTC) + LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(key_cert_sign=True, **signs), critical=True)
        .add_extension(CONSTRAINTS, critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def open_authority(folder: Path) -> Authority:
    """The authority kept in `folder`, made there when there is none that is fit.

    Leaves `ca.pem` (the authority), `ca.key` (0600) and `bundle.pem` (the system's roots and
    the authority, for clients that take one file).
    """
    private_folder(folder)
    certificate, key = folder / "ca.pem", folder / "ca.key"
    authority = _read(certificate, key)
    if authority is None or not authority.is_fit:
        authority = make_authority()
        _write(key, _key_pem(authority.key), 0o600)
        _write(certificate, _pem(authority.certificate), 0o644)
    bundle = _system_roots() + b"\n" + _pem(authority.certificate)
    _write(folder / "bundle.pem", bundle, 0o644)
    return authority


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
            load(context, *self._authority.issue(name))
            self._contexts[name] = context
        return self._contexts[name]

    def choose(
        self, connection: ssl.SSLObject, name: str | None, _default: ssl.SSLContext
    ) -> int | None:
        """An `sni_callback`: certificates are for `.localhost` names alone (RFC 6761, 6.3)."""
        requested = (name or "localhost").lower()
        if requested != "localhost" and not requested.endswith(".localhost"):
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        try:
            connection.context = self.context(requested)
        except ValueError:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        return None


def load(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Have a context show a certificate; `ssl` takes it from a file alone."""
    with tempfile.NamedTemporaryFile() as pair:
        pair.write(key + certificate)
        pair.flush()
        context.load_cert_chain(pair.name)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - BACKDATED)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _read(certificate: Path, key: Path) -> Authority | None:
    """The authority in these files; None where there is none that can be read."""
    try:
        found = serialization.load_pem_private_key(key.read_bytes(), password=None)
        kept = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    # Of two authorities, where the last start ended between the two.
    if not isinstance(found, ec.EllipticCurvePrivateKey) or found.public_key() != kept.public_key():
        return None
    return Authority(kept, found)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


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
