"""Signatures: what botocore signs is taken, and anything else about the request is not."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPMessage
from types import MappingProxyType
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.signatures import Sent, SignatureError, check, claim_of, is_signed

KEY, SECRET, TOKEN = "ASIAEXAMPLE", "a secret", "a/token+with=signs"
URL = "http://127.0.0.1:4566/2015-03-31/functions/arn%3Aaws%3Alambda/x%2Fy//z?b=2&a=%20x%2F&a=&c"
BODY = b'{"a": 1}'


def signed(
    url: str = URL,
    *,
    presigned: bool = False,
    token: str | None = TOKEN,
    signer: type[SigV4Auth] | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Sent:
    """A request as botocore, or this signer of its kind, signs it, as it arrives."""
    known = Credentials(KEY, SECRET, token)
    # botocore takes a body's fields into the query that it signs.
    data = b"" if presigned else BODY
    named = {"X-Amz-Target": "Service.Operation", **headers}
    request = AWSRequest("POST", url, data=data, headers=named)
    signer = signer or (SigV4QueryAuth if presigned else SigV4Auth)
    signer(known, "lambda", "us-east-1").add_auth(request)
    prepared = request.prepare()
    parts = urlsplit(prepared.url)
    sent = [(b"host", parts.netloc.encode())]
    for name, value in prepared.headers.items():
        text = value if isinstance(value, bytes) else str(value).encode()
        sent.append((name.lower().encode(), text))
    return Sent("POST", parts.path, parts.query, sent)


def body_of(sent: Sent) -> bytes:
    return BODY if b"authorization" in dict(sent.headers) else b""


def secret(access_key_id: str, session_token: str) -> str:
    if (access_key_id, session_token) != (KEY, TOKEN):
        raise SignatureError("UnrecognizedClientException", "unknown")
    return SECRET


def verdict(sent: Sent, more: bytes = b"", later: timedelta = timedelta()) -> str:
    """The error's code; empty where the request is taken."""
    try:
        check(sent, body_of(sent) + more, claim_of(sent), secret, datetime.now(UTC) + later)
    except SignatureError as error:
        return error.code
    return ""


def with_header(sent: Sent, name: str, value: str) -> Sent:
    kept = [header for header in sent.headers if header[0] != name.encode()]
    return replace(sent, headers=[*kept, (name.encode(), value.encode())])


@pytest.mark.parametrize("presigned", [False, True])
@pytest.mark.parametrize("url", [URL, "http://127.0.0.1:4566/", "http://127.0.0.1:4566/a%20b"])
def test_what_botocore_signs_is_taken(url: str, presigned: bool) -> None:
    assert verdict(signed(url, presigned=presigned)) == ""


@pytest.mark.parametrize("presigned", [False, True])
def test_whatever_is_changed_afterwards_is_noticed(presigned: bool) -> None:
    sent = signed(presigned=presigned)
    changed = [
        replace(sent, method="PUT"),
        replace(sent, path=sent.path + "x"),
        replace(sent, query=sent.query + "&d=3"),
        with_header(sent, "host", "127.0.0.1:4567"),
        with_header(sent, "x-amz-target", "Service.Another"),
    ]
    assert {verdict(each) for each in changed} == {"SignatureDoesNotMatch"}
    assert verdict(sent, b" ") == "SignatureDoesNotMatch"


def test_another_secret_is_no_good() -> None:
    sent = signed()
    with pytest.raises(SignatureError, match="does not match"):
        check(sent, BODY, claim_of(sent), lambda _key, _token: "local", datetime.now(UTC))


def test_the_session_token_goes_with_the_key() -> None:
    assert verdict(signed(token=None)) == "UnrecognizedClientException"
    assert verdict(with_header(signed(), "x-amz-security-token", "b")).startswith("Unrecognized")


def test_every_amz_header_is_signed() -> None:
    sent = signed()
    more = replace(sent, headers=[*sent.headers, (b"x-amz-another", b"1")])
    twice = replace(sent, headers=[*sent.headers, (b"x-amz-target", b"Service.Another")])

    assert verdict(more) == "SignatureDoesNotMatch"
    assert verdict(twice) == "SignatureDoesNotMatch"


@pytest.mark.parametrize("left_out", ["host", "x-amz-date", "x-amz-target", "x-amz-security-token"])
def test_a_signature_that_leaves_a_header_out_is_not_taken(left_out: str) -> None:
    """It is a good one, of the other headers."""

    class LeavesOut(SigV4Auth):
        def headers_to_sign(self, request: AWSRequest) -> HTTPMessage:
            kept = super().headers_to_sign(request)
            assert left_out in kept
            del kept[left_out]
            return kept

    assert verdict(signed(signer=LeavesOut)) == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    "word", ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "0" * 64]
)
def test_a_body_that_is_not_signed_is_not_taken(word: str) -> None:
    """The word is signed in the place of the body's hash."""
    assert verdict(signed(headers={"X-Amz-Content-SHA256": word})) == "SignatureDoesNotMatch"


def test_a_body_whose_hash_is_signed_is_taken() -> None:
    digest = hashlib.sha256(BODY).hexdigest()

    assert verdict(signed(headers={"X-Amz-Content-SHA256": digest})) == ""


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_signature_is_good_for_a_quarter_of_an_hour(minutes: int) -> None:
    assert verdict(signed(), later=timedelta(minutes=minutes)) == "RequestTimeTooSkewed"
    assert verdict(signed(), later=timedelta(minutes=minutes * 7 / 8)) == ""


def test_a_signature_in_the_query_is_good_for_as_long_as_it_says() -> None:
    sent = signed(presigned=True)
    assert "X-Amz-Expires=3600" in sent.query

    assert verdict(sent, later=timedelta(minutes=59)) == ""
    assert verdict(sent, later=timedelta(minutes=61)) == "RequestTimeTooSkewed"
    longer = replace(sent, query=sent.query.replace("=3600", "=604801"))
    assert verdict(longer) == "IncompleteSignature"


def test_the_scopes_day_is_the_signatures() -> None:
    """A key is for a day: one of another day is no good, whatever it signs."""

    class OfAnotherDay(SigV4Auth):
        def signature(self, string_to_sign: str, request: AWSRequest) -> str:
            request.context["timestamp"] = "20200101T000000Z"
            return super().signature(string_to_sign, request)

    sent = signed(signer=OfAnotherDay)
    assert claim_of(sent).date == "20200101"
    assert verdict(sent) == "SignatureDoesNotMatch"


def test_a_request_is_signed_once() -> None:
    header, query = signed(), signed(presigned=True)
    authorization = (b"authorization", dict(header.headers)[b"authorization"])

    both = [
        replace(header, headers=[*header.headers, authorization]),
        replace(header, query="X-Amz-Credential=000000000000/a/b/c/d"),
        replace(header, query="x-amz-credential=000000000000/a/b/c/d"),
        replace(header, query="AWSAccessKeyId=000000000000"),
        replace(query, headers=[*query.headers, authorization]),
        replace(query, query=f"{query.query}&x-amz-credential=000000000000/a/b/c/d"),
        replace(query, query=f"{query.query}&X-Amz-Date=20260101T000000Z"),
    ]
    assert {verdict(each) for each in both} == {"IncompleteSignature"}


@pytest.mark.parametrize(
    "authorization",
    [
        "AWS4-ECDSA-P256-SHA256 Credential=a/20260101/lambda/aws4_request, SignedHeaders=host, "
        "Signature=00",
        "AWS key:signature",
        "Bearer a",
        "AWS4-HMAC-SHA256 Credential=000000000000/20260101/us-east-1/lambda/aws4_request",
        f"AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature={'0' * 64}",
        "",
    ],
)
def test_other_signatures_are_not_taken(authorization: str) -> None:
    sent = with_header(signed(), "authorization", authorization)

    assert is_signed(sent)
    assert verdict(sent) == "IncompleteSignature"


def test_what_claims_nothing_is_not_signed() -> None:
    assert not is_signed(Sent("GET", "/", "Action=x&X-Amzn=1", [(b"host", b"localhost")]))
    assert is_signed(Sent("GET", "/", "X-Amz-Anything=", []))
