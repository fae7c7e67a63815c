"""Taking a token apart and putting another one together, to see it refused."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

if TYPE_CHECKING:
    from collections.abc import Mapping


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _json(value: Mapping[str, Any]) -> str:
    return _encode(json.dumps(value).encode())


def header(token: str) -> dict[str, Any]:
    """The header of a token."""
    return dict(json.loads(_decode(token.split(".", maxsplit=1)[0])))


def claims(token: str) -> dict[str, Any]:
    """The claims of a token, unverified."""
    return dict(json.loads(_decode(token.split(".")[1])))


def with_claims(token: str, changed: Mapping[str, Any]) -> str:
    """The token with other claims and the signature it had."""
    head, _, signature = token.split(".")
    return f"{head}.{_json({**claims(token), **changed})}.{signature}"


def with_bent_signature(token: str) -> str:
    """The token with one bit of its signature turned."""
    head, payload, signature = token.split(".")
    raw = bytearray(_decode(signature))
    raw[0] ^= 1
    return f"{head}.{payload}.{_encode(bytes(raw))}"


def unsigned(token: str) -> str:
    """The token as `alg: none` says it: no signature at all."""
    return f"{_json({'alg': 'none', 'typ': 'JWT'})}.{token.split('.')[1]}."


def signed(key: rsa.RSAPrivateKey, head: Mapping[str, Any], payload: Mapping[str, Any]) -> str:
    """A token signed with RS256 by the given key."""
    body = f"{_json(head)}.{_json(payload)}"
    signature = key.sign(body.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{body}.{_encode(signature)}"


def made_up_key() -> rsa.RSAPrivateKey:
    """A key that no pool ever published."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
