"""AWS Signature Version 4, checked: who sent a request, and is it the one that they signed.

IAM User Guide, "AWS Signature Version 4 for API requests". botocore, which signs, also says here
what the signature must be. Taken are a signature in the header and one in the query; of the
header, X-Amz-Date alone for the time. Not taken: SigV4a, SigV2, and bodies that are not signed,
which S3 alone has.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

from local.browser_guard import RawHeaders

# How far a client's clock may be from ours. AWS's services allow 5 to 15 minutes (IAM User Guide,
# "Troubleshoot Signature Version 4 signing", and Developer Tools Blog, "Clock-skew correction").
SKEW = timedelta(minutes=15)
# The longest life of a signature in the query, in seconds: a week (the same page).
MAX_EXPIRES = 7 * 24 * 3600
HEADER = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<credential>[^,\s]+),\s*"
    r"SignedHeaders=(?P<signed>[^,\s]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)
CREDENTIAL = re.compile(
    r"(?P<key>\w+)/(?P<date>\d{8})/(?P<region>[\w-]+)/(?P<service>[\w-]+)/aws4_request"
)
TIME = "%Y%m%dT%H%M%SZ"
IN_QUERY = "X-Amz-"


class SignatureError(Exception):
    """A request whose sender is not proved: AWS's error code, and what is wrong."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Sent:
    """A request's head as it was sent; header names in lower case."""

    method: str
    path: str
    query: str
    headers: RawHeaders


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says about its signature."""

    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    time: str
    session_token: str = field(repr=False)
    # How long it is good for, in seconds, where it is in the query.
    expires: int | None = None


# The secret of a key id and session token; raises SignatureError.
Secrets = Callable[[str, str], str]


def is_signed(sent: Sent) -> bool:
    """Whether a request makes any claim to be signed, be it a good one or not."""
    return bool(_values(sent, "authorization")) or any(
        name.lower().startswith(IN_QUERY.lower()) or name in {"AWSAccessKeyId", "Signature"}
        for name, _ in _query(sent)
    )


def is_well_formed(authorization: str) -> bool:
    """Whether an Authorization header says all that one of version 4 does, be it true or not."""
    parts = HEADER.fullmatch(authorization)
    return parts is not None and CREDENTIAL.fullmatch(parts["credential"]) is not None


def claim_of(sent: Sent) -> Claim:
    """What a request claims; raises SignatureError where that can't be checked."""
    pairs = _query(sent)
    given, lower = dict(pairs), [name.lower() for name, _ in pairs]
    in_query = any(name.startswith(IN_QUERY.lower()) for name in lower)
    authorizations = _values(sent, "authorization")
    if len(authorizations) + in_query != 1 or "awsaccesskeyid" in lower:
        raise _incomplete("A request is signed once: in Authorization or in its query.")
    claim = _in_query(given, lower) if in_query else _in_header(sent, authorizations[0])
    _check_coverage(sent, claim)
    return claim


def check(sent: Sent, body: bytes, claim: Claim, secrets: Secrets, now: datetime) -> None:
    """Raise SignatureError unless the claim's key signed this request, not long ago."""
    _check_time(claim, now)
    digest = hashlib.sha256(body).hexdigest()
    if any(value != digest for value in _values(sent, "x-amz-content-sha256")):
        raise _mismatch()
    secret = secrets(claim.access_key_id, claim.session_token)
    expected = _Signer(claim, secret).expected(sent, digest)
    if not hmac.compare_digest(expected, claim.signature):
        raise _mismatch()


class _Signer(SigV4Auth):
    """botocore's signer, of the headers that the claim names and a body hashed already."""

    def __init__(self, claim: Claim, secret: str) -> None:
        super().__init__(Credentials(claim.access_key_id, secret), claim.service, claim.region)
        self._claim = claim
        self._secret = secret

    def expected(self, sent: Sent, digest: str) -> str:
        """The signature that the request must have."""
        request = AWSRequest(
            method=sent.method,
            url=f"http://host{sent.path}",
        )
        # botocore's stubs know a mapping alone, which holds each name once.
        pairs: Any = [pair for pair in _query(sent) if pair[0] != "X-Amz-Signature"]
        request.params = pairs
        request.context.update(timestamp=self._claim.time, digest=digest, sent=sent)
        text = self.string_to_sign(request, self.canonical_request(request))
        key = _signing_key(self._secret, self._claim.date, self._claim.region, self._claim.service)
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        """The claim's headers, whatever botocore itself would leave out."""
        signed = HTTPHeaders()
        for name, value in request.context["sent"].headers:
            if name.decode("latin-1") in self._claim.signed_headers:
                signed[name.decode("latin-1")] = value.decode("latin-1")
        return signed

    def payload(self, request: AWSRequest) -> str:
        """The body's hash."""
        digest: str = request.context["digest"]
        return digest


@functools.lru_cache(maxsize=64)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _in_header(sent: Sent, authorization: str) -> Claim:
    parts, times = HEADER.fullmatch(authorization), _values(sent, "x-amz-date")
    tokens = _values(sent, "x-amz-security-token")
    if parts is None or len(times) != 1 or len(tokens) > 1:
        raise _incomplete(
            "Authorization must be AWS4-HMAC-SHA256 with Credential, SignedHeaders and Signature, "
            "beside one X-Amz-Date."
        )
    token = tokens[0] if tokens else ""
    return _claim(parts["credential"], parts["signed"], parts["signature"], times[0], token, None)


def _in_query(given: Mapping[str, str], lower: list[str]) -> Claim:
    names = [f"{IN_QUERY}{name}" for name in ("Credential", "Date", "Expires", "SignedHeaders")]
    mine = [name for name in lower if name.startswith(IN_QUERY.lower())]
    expires = given.get(f"{IN_QUERY}Expires", "")
    if (
        len(mine) != len(set(mine))
        or not all(given.get(name) for name in names)
        or given.get(f"{IN_QUERY}Algorithm") != "AWS4-HMAC-SHA256"
        or not re.fullmatch(r"[0-9a-f]{64}", given.get(f"{IN_QUERY}Signature", ""))
        or not re.fullmatch(r"\d{1,6}", expires)
        or int(expires) > MAX_EXPIRES
    ):
        raise _incomplete(
            "The query must have one each of X-Amz-Algorithm (AWS4-HMAC-SHA256), "
            "X-Amz-Credential, X-Amz-Date, X-Amz-Expires (604800 at most), X-Amz-SignedHeaders and "
            "X-Amz-Signature."
        )
    return _claim(
        given[names[0]], given[names[3]], given[f"{IN_QUERY}Signature"], given[names[1]],
        given.get(f"{IN_QUERY}Security-Token", ""), int(expires),
    )  # fmt: skip


def _claim(  # noqa: PLR0913, PLR0917 - the parts of a signature
    credential: str, signed: str, signature: str, time: str, token: str, expires: int | None
) -> Claim:
    scope = CREDENTIAL.fullmatch(credential)
    if scope is None:
        raise _incomplete("Credential must be key/date/region/service/aws4_request.")
    names = tuple(signed.split(";"))
    return Claim(
        scope["key"], scope["date"], scope["region"], scope["service"], names, signature, time,
        token, expires,
    )  # fmt: skip


def _check_coverage(sent: Sent, claim: Claim) -> None:
    """Host, and every X-Amz header, must be signed (the guide's "canonical headers")."""
    sent_names = [name.decode("latin-1") for name, _ in sent.headers]
    needed = {"host"} | {name for name in sent_names if name.startswith("x-amz-")}
    # A key that is signed but not sent would be signed as nothing.
    if needed - set(claim.signed_headers) or set(claim.signed_headers) - set(sent_names):
        raise _mismatch()


def _check_time(claim: Claim, now: datetime) -> None:
    try:
        signed = datetime.strptime(claim.time, TIME).replace(tzinfo=UTC)
    except ValueError:
        raise _incomplete("X-Amz-Date must be in the form YYYYMMDDTHHMMSSZ.") from None
    if claim.date != claim.time[:8]:
        raise SignatureError(
            "SignatureDoesNotMatch", "Date in Credential scope does not match X-Amz-Date."
        )
    lives = SKEW if claim.expires is None else timedelta(seconds=claim.expires)
    if not signed - SKEW <= now <= signed + lives:
        raise SignatureError(
            "RequestTimeTooSkewed",
            f"Signature expired or not yet current: it is of {claim.time}, and it is now "
            f"{now.strftime(TIME)}. Is this machine's clock right?",
        )


def _query(sent: Sent) -> list[tuple[str, str]]:
    pairs = (pair.partition("=") for pair in sent.query.split("&") if pair)
    return [(unquote(name), unquote(value)) for name, _, value in pairs]


def _values(sent: Sent, header: str) -> list[str]:
    return [value.decode("latin-1") for name, value in sent.headers if name == header.encode()]


def _incomplete(message: str) -> SignatureError:
    return SignatureError("IncompleteSignature", message)


def _mismatch() -> SignatureError:
    return SignatureError(
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. The "
        'emulator\'s key is its own: eval "$(make -s env)" in its folder.',
    )
