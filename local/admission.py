"""Who is let in at the control plane's port: everybody proves who they are, before ministack.

ministack takes root's signature whatever it is, and serves pages and data planes that ask for none.
Here every request is signed by a key that this emulator gave out, except Cognito's: the operations
that AWS's SDKs send unsigned, and the hosted sign-in.
"""

from __future__ import annotations

import functools
import hmac
import json
import logging
import re
from datetime import UTC, datetime

import botocore.session

from local import browser_guard, http_messages, signatures
from local.http_messages import Receive, Response, Scope
from local.patches import authentication
from local.settings import ACCOUNT_ID, LOOPBACK
from local.signatures import Sent, SignatureError
from project.credentials import ACCESS_KEY_ID, CONTROL_HEADER, Credentials
from project.emulator import OWNER_PATH

logger = logging.getLogger("local.admission")

OWN_API = "/_local/"
# Where a pool's keys are, for whoever checks its tokens: API Gateway's authorizer, here (Cognito
# Developer Guide, "Verifying JSON web tokens"). A pool's id is `[\w-]+_[0-9a-zA-Z]+`
# (API_UserPoolType), of which what stands before the last _ is the Region.
POOLS_OWN = re.compile(r"/[a-z0-9-]+_[0-9A-Za-z]+/\.well-known/(?:jwks\.json|openid-configuration)")
COGNITO = "AWSCognitoIdentityProviderService."
# A function's package may have 50 MB (gettingstarted-limits, "zipped, for direct upload"), sent as
# base64. Cognito's requests, and this emulator's own, are small.
MAX_SIGNED, MAX_OTHER = 70 * 1024 * 1024, 256 * 1024
EVALUATION = 'eval "$(make -s env)" in the emulator\'s folder gives a shell its key.'


class RefusedError(Exception):
    """A request that goes no further, and what is answered."""

    def __init__(self, response: Response) -> None:
        super().__init__(response)
        self.response = response


async def admit(scope: Scope, receive: Receive, credentials: Credentials) -> http_messages.Request:
    """The whole request, once it is known who sent it; raises RefusedError."""
    sent = sent_as(scope)
    if reason := browser_guard.refusal(sent.method, sent.path, sent.headers, sent.query):
        raise _forbidden(sent, reason)
    if sent.path.startswith(OWN_API):
        # Who asks for a proof doesn't know yet to whom the token would go.
        if (sent.method, sent.path) != ("GET", OWNER_PATH):
            _check_token(sent, credentials)
    elif reason := closed(scope["path"], _value(sent, "host")):
        raise _forbidden(sent, reason)
    elif browser_guard.is_sign_in(sent.method, sent.path):
        return await _sign_in(sent, scope, receive)
    elif signatures.is_signed(sent):
        return await _signed(sent, scope, receive, credentials)
    elif not is_public(sent):
        message = f"Request is missing Authentication Token. {EVALUATION}"
        raise _unproved(sent, SignatureError("MissingAuthenticationToken", message))
    return await _read(sent, scope, receive, MAX_OTHER)


def sent_as(scope: Scope) -> Sent:
    """A request's head as it was sent."""
    return Sent(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=[(name.lower(), value) for name, value in scope["headers"]],
    )


def closed(path: str, host: str) -> str:
    """Why nobody is served here, not even with a signature; empty for AWS's own APIs.

    ministack has pages of its own (reset, configuration, code downloads), and data planes by path
    and by host name, which no policy guards. The data planes here are on the HTTPS port.
    """
    if not path.startswith("/"):
        return "A request's target is a path here (RFC 9112, 3.2.1)."
    if path.startswith("/_") or path == "/health" or "/_user_request_" in path:
        return "Nothing here uses this path, so it is closed."
    if host.partition(":")[0] not in {"localhost", LOOPBACK}:
        return "The control plane has no other name than localhost and 127.0.0.1."
    return ""


def is_public(sent: Sent) -> bool:
    """Whether AWS serves this unsigned: some of Cognito's operations, and a pool's public keys."""
    if sent.method == "GET" and not sent.query and POOLS_OWN.fullmatch(sent.path):
        return True
    target = _value(sent, "x-amz-target")
    operation = target.removeprefix(COGNITO) if target.startswith(COGNITO) else ""
    return (sent.method, sent.path, sent.query) == ("POST", "/", "") and operation in public()


@functools.cache
def public() -> frozenset[str]:
    """Cognito's operations that SDKs send without a signature, by botocore's model.

    Cognito Developer Guide, user-pools-API-operations: what apps call for somebody who signs in
    (unauthenticated), or with that person's access token (token-authorized).
    """
    model = botocore.session.get_session().get_service_model("cognito-idp")
    names = model.operation_names
    return frozenset(name for name in names if model.operation_model(name).auth_type == "none")


def secret_of(access_key_id: str, session_token: str, credentials: Credentials) -> str:
    """The secret of a key that this emulator gave out; raises SignatureError."""
    if access_key_id == ACCESS_KEY_ID and not session_token:
        return credentials.secret_access_key
    message = f"The security token included in the request is invalid. {EVALUATION}"
    unknown = SignatureError("UnrecognizedClientException", message)
    # To ministack, any account's id and the word test are root as well.
    if authentication.is_root_key(access_key_id):
        raise unknown
    try:
        return authentication.secret_of(ACCOUNT_ID, access_key_id, session_token)
    except authentication.ExpiredKeyError as error:
        raise SignatureError(error.code, str(error)) from error
    except authentication.UnknownKeyError as error:
        raise unknown from error


async def _signed(
    sent: Sent, scope: Scope, receive: Receive, credentials: Credentials
) -> http_messages.Request:
    def secret(access_key_id: str, session_token: str) -> str:
        return secret_of(access_key_id, session_token, credentials)

    try:
        claim = signatures.claim_of(sent)
        # Who has no key is not read any further.
        secret(claim.access_key_id, claim.session_token)
        request = await _read(sent, scope, receive, MAX_SIGNED)
        signatures.check(sent, request.body, claim, secret, datetime.now(UTC))
    except SignatureError as error:
        raise _unproved(sent, error) from error
    return request


async def _sign_in(sent: Sent, scope: Scope, receive: Receive) -> http_messages.Request:
    request = await _read(sent, scope, receive, MAX_OTHER)
    content_type = request.headers.get("content-type", "")
    if reason := browser_guard.refusal_of_body(content_type, request.body):
        raise _forbidden(sent, reason)
    return request


def _check_token(sent: Sent, credentials: Credentials) -> None:
    given = _value(sent, CONTROL_HEADER).encode()
    if not hmac.compare_digest(given, credentials.control_token.encode()):
        raise _forbidden(sent, "The emulator's own API wants the token of its credentials.json.")


async def _read(sent: Sent, scope: Scope, receive: Receive, limit: int) -> http_messages.Request:
    try:
        return await http_messages.read(scope, receive, "", "", limit)
    except http_messages.TooLargeError as error:
        raise _refused(sent, 413, f"The body has more than {limit} bytes.") from error


def _value(sent: Sent, header: str) -> str:
    """A header's value; empty where there is none, or more than one."""
    values = [value for name, value in sent.headers if name == header.encode()]
    return values[0].decode("latin-1") if len(values) == 1 else ""


def _forbidden(sent: Sent, reason: str) -> RefusedError:
    return _refused(sent, 403, reason)


def _refused(sent: Sent, status: int, reason: str) -> RefusedError:
    logger.warning("refused: %s %s: %s", sent.method, sent.path, reason)
    headers = {"content-type": "application/json", "connection": "close"}
    body = json.dumps({"message": f"The embedded AWS refuses this: {reason}"}).encode()
    return RefusedError((status, headers, body))


def _unproved(sent: Sent, error: SignatureError) -> RefusedError:
    """AWS's own error, in the wire format of the service that is meant."""
    logger.warning("refused: %s %s: %s", sent.method, sent.path, error.code)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in sent.headers}
    # ministack searches it for a service, in time that grows with its length squared.
    if not signatures.is_well_formed(headers.get("authorization", "")):
        headers.pop("authorization", None)
    status, answered, body = authentication.error_response(
        sent.method, sent.path, sent.query, headers, error.code, error.message
    )
    return RefusedError((status, {**answered, "connection": "close"}, body))
