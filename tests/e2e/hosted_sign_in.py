"""The hosted sign-in page, used as a browser does: code flow with PKCE."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

if TYPE_CHECKING:
    from tests.support.users import Person

TIMEOUT = (5, 30)


@dataclass(slots=True)
class Form:
    """A form of a page: where it goes, and what it holds already."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(given.get("action", "")))
        elif tag == "input" and self.found and "name" in given:
            self.found[-1].fields[given["name"]] = given.get("value", "")


def _sign_in_form(page: str) -> Form:
    forms = _Forms()
    forms.feed(page)
    return next(form for form in forms.found if "password" in form.fields)


@dataclass(frozen=True, slots=True)
class HostedSignIn:
    """The sign-in domain of a pool. `url` is its base, with no slash at its end."""

    url: str
    client_id: str
    callback: str
    http: requests.Session

    def access_token(self, person: Person, scope: str) -> str:
        """Sign in for exactly these scopes (separated by spaces); gives the access token."""
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        page = self.http.get(
            f"{self.url}/oauth2/authorize",
            params={
                "response_type": "code",
                "client_id": self.client_id,
                "redirect_uri": self.callback,
                "scope": scope,
                "code_challenge": challenge.rstrip(b"=").decode(),
                "code_challenge_method": "S256",
            },
            timeout=TIMEOUT,
        )
        page.raise_for_status()
        form = _sign_in_form(page.text)
        sent = self.http.post(
            urljoin(page.url, form.action),
            data={**form.fields, "username": person.email, "password": person.password},
            timeout=TIMEOUT,
            allow_redirects=False,
        )
        code = parse_qs(urlsplit(sent.headers["location"]).query)["code"][0]
        tokens = self.http.post(
            f"{self.url}/oauth2/token",
            data={
                "grant_type": "authorization_code",
                "client_id": self.client_id,
                "redirect_uri": self.callback,
                "code": code,
                "code_verifier": verifier,
            },
            timeout=TIMEOUT,
        )
        tokens.raise_for_status()
        return str(tokens.json()["access_token"])
