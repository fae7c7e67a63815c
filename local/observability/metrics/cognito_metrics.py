"""AWS/Cognito (cognito/latest/developerguide/metrics-for-cognito-user-pools).

One data point for each request that could have given tokens, or made a user: 1 if it did, else 0.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from local.observability.metrics.recorder import Recorder, Sample
from local.patches import cognito
from local.patches.cognito import Exchange, Response

NAMESPACE = "AWS/Cognito"
SIGN_UP, SIGN_IN, REFRESH = "SignUpSuccesses", "SignInSuccesses", "TokenRefreshSuccesses"
ADMIN = "Admin"
REFRESHING = ("REFRESH_TOKEN", "REFRESH_TOKEN_AUTH")
GRANTS = {"authorization_code": SIGN_IN, "refresh_token": REFRESH}

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request to sign up, to sign in or for new tokens.

    `pool` is None where the client alone is named, as clients do.
    """

    metric: str
    success: bool
    client: str
    pool: str | None = None


def install(recorder: Recorder) -> None:
    """Watch what Cognito answers."""

    def listen(exchange: Exchange) -> None:
        if exchange.path.startswith("/oauth2/token"):
            made = of_token_endpoint(exchange.body, exchange.authorization, exchange.answer)
        else:
            made = of_action(exchange.action, exchange.body, exchange.answer)
        if made:
            _put(recorder, made)

    cognito.on_exchanges(listen)


def of_action(action: str, body: bytes, answer: Response) -> Attempt | None:
    """The attempt that an API call is; None while it only leads to a challenge."""
    reads = {
        "SignUp": _sign_up,
        "AdminCreateUser": _sign_up,
        "InitiateAuth": _sign_in,
        "AdminInitiateAuth": _sign_in,
        "RespondToAuthChallenge": _sign_in,
        "AdminRespondToAuthChallenge": _sign_in,
        "GetTokensFromRefreshToken": _sign_in,
    }
    read = reads.get(action)
    try:
        return read(action, json.loads(body), answer) if read else None
    except ValueError:
        return None


def _sign_up(_action: str, request: Document, answer: Response) -> Attempt:
    client = request.get("ClientId", ADMIN)
    return Attempt(SIGN_UP, answer[0] == 200, client, request.get("UserPoolId"))


def _sign_in(action: str, request: Document, answer: Response) -> Attempt | None:
    refreshes = request.get("AuthFlow") in REFRESHING or action == "GetTokensFromRefreshToken"
    success = answer[0] == 200
    if success and "ChallengeName" in json.loads(answer[2]):
        return None
    return Attempt(REFRESH if refreshes else SIGN_IN, success, request.get("ClientId", ""))


def of_token_endpoint(body: bytes, authorization: str, answer: Response) -> Attempt | None:
    """The attempt that a call of /oauth2/token is; a confidential client names itself apart."""
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    metric = GRANTS.get(form.get("grant_type", ""))
    if metric is None or authorization:
        return None
    return Attempt(metric, answer[0] == 200, form.get("client_id", ""))


def _put(recorder: Recorder, attempt: Attempt) -> None:
    found = cognito.pool_of(attempt.client, attempt.pool)
    if found is None:
        return
    scope, pool = found
    dimensions = (("UserPool", pool), ("UserPoolClient", attempt.client))
    sample = Sample(attempt.metric, float(attempt.success), "Count")
    recorder.put(scope, NAMESPACE, dimensions, [sample], time.time())
