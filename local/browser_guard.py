"""Which requests to the control plane's port may be a browser's, and which may not.

ministack looks for a service in X-Amz-Target, in a credential's scope, in `Action` and in Host
before it looks at the path, so a path alone says nothing. A browser may reach Cognito's hosted
sign-in (Cognito Developer Guide, "User pool endpoints and managed login reference"), by exact
pairs of method and path, with nothing on it that means another service. It has no other business
here: a page has no AWS credentials, and the developer's are not for pages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlsplit

from local.settings import LOOPBACK

RawHeaders = Sequence[tuple[bytes, bytes]]

# Pages that a person is led to: a browser opens them as what the window shows, and in no frame.
PAGES = frozenset({("GET", "/oauth2/authorize"), ("GET", "/logout")})
# The page's own form comes back to it.
FORM = ("POST", "/login")
# Where apps exchange the code, those in a browser too: a public client is known by the code and its
# verifier, not by a cookie. Pages of this machine alone: that is where an app is developed.
TOKEN = ("POST", "/oauth2/token")
# It wants a bearer token. A page would need a preflight, which is answered to nobody here.
USER_INFO = frozenset({("GET", "/oauth2/userInfo"), ("POST", "/oauth2/userInfo")})
SIGN_IN = PAGES | USER_INFO | {FORM, TOKEN}

# What browsers add of their own accord and other clients don't (W3C Fetch Metadata; WHATWG Fetch,
# "CORS protocol").
BROWSERS_OWN = (b"sec-fetch-", b"access-control-request-")
# RFC 7617 and RFC 6750. `Credential=…`, which ministack looks for in any scheme, is neither.
AUTHORIZATION = re.compile(r"(?:Basic|Bearer) [A-Za-z0-9._~+/-]+=*")
FORM_TYPE = "application/x-www-form-urlencoded"
# By which ministack takes a query or a form for a call of an AWS API.
AWS_NAMES = frozenset({"action", "awsaccesskeyid", "signature"})
AWS_PREFIX = "x-amz-"

NO_API = "Cognito's hosted sign-in is no AWS API: nothing of one may be sent to it."


def is_here(host: str | None) -> bool:
    """Whether a host name is this machine's: `localhost`, a name below it, or 127.0.0.1."""
    return host is not None and (host in {"localhost", LOOPBACK} or host.endswith(".localhost"))


def is_sign_in(method: str, path: str) -> bool:
    """Whether this is one of the hosted sign-in's requests; `path` as it was sent."""
    return (method, path) in SIGN_IN


def refusal(method: str, path: str, headers: RawHeaders, query: str) -> str:
    """Why a request must not come any further; empty when it may.

    `path` and `query` as they were sent, header names in lower case.
    """
    hosts, origins = _values(headers, b"host"), _values(headers, b"origin")
    if len(hosts) != 1 or not is_here(_host_of(f"//{hosts[0]}")):
        return "Host must be localhost, a name below it, or 127.0.0.1."
    if len(origins) > 1:
        return "A request has one Origin."
    if method == "OPTIONS":
        return "The control plane answers no preflight."
    if is_sign_in(method, path):
        return _of_sign_in(headers, query) or _of_browser((method, path), headers)
    if origins or _values(headers, b"referer") or any(_is_browsers(name) for name, _ in headers):
        return "A browser may open Cognito's hosted sign-in here, and nothing else."
    return ""


def refusal_of_body(content_type: str, body: bytes) -> str:
    """Why the body of one of the sign-in's requests must not come any further; else empty."""
    if not body:
        return ""
    if content_type.partition(";")[0].strip().lower() != FORM_TYPE:
        return "Cognito's hosted sign-in takes forms."
    return NO_API if _speaks_to_an_api(body.decode("latin-1")) else ""


def _of_sign_in(headers: RawHeaders, query: str) -> str:
    authorizations = _values(headers, b"authorization")
    signed = not all(AUTHORIZATION.fullmatch(value) for value in authorizations)
    targeted = any(name.startswith(AWS_PREFIX.encode()) for name, _ in headers)
    several = len(authorizations) > 1
    return NO_API if targeted or signed or several or _speaks_to_an_api(query) else ""


def _of_browser(pair: tuple[str, str], headers: RawHeaders) -> str:
    """Why a browser's request to the sign-in must not be; empty for any other client."""
    values = dict(headers)
    if b"origin" not in values and not any(map(_is_browsers, values)):
        return ""
    origin = values.get(b"origin", b"").decode("latin-1")
    if pair == FORM:
        own = origin == f"http://{values[b'host'].decode('latin-1')}"
        return "" if own else "The sign-in page alone may send its form."
    if pair == TOKEN:
        return "" if is_here(_host_of(origin)) else "Only pages of this machine may ask for tokens."
    opened = not origin and values.get(b"sec-fetch-dest") == b"document"
    return "" if opened else "The sign-in is opened as a page: not by a script, not in a frame."


def _speaks_to_an_api(form: str) -> bool:
    names = (name.lower() for name, _ in parse_qsl(form, keep_blank_values=True))
    return any(name in AWS_NAMES or name.startswith(AWS_PREFIX) for name in names)


def _is_browsers(name: bytes) -> bool:
    return name.startswith(BROWSERS_OWN)


def _values(headers: RawHeaders, header: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in headers if name == header]


def _host_of(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    # What is left of a host once user, port, path are cut off is not what ministack reads.
    plain = parts.netloc and not parts.path and not parts.query and "@" not in parts.netloc
    return parts.hostname if plain else None
