"""Whatever a caller can put into a request ends as an answer below 500."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from items.logic import Items
from items.model import derived_id
from items.observability import Observer
from items.routes import ItemsApi
from items.settings import Settings
from tests.unit.support import (
    ALICE,
    BOB,
    CLIENT_ID,
    MAX_ITEMS,
    REGION,
    STANDBY,
    TABLE,
    Client,
    World,
    caller,
    event,
    open_fence,
)

ID = derived_id(caller(), "k")
# Left to chance, a text hardly ever holds what breaks things.
pieces = st.sampled_from(["\ud800", "\x00", "\r\n", '"', "%00", "/", "..", "#", "*", "🥛", "W/"])
texts = st.text(st.characters(exclude_categories=()), max_size=5)
anything = st.lists(pieces | texts, max_size=5).map("".join)
paths = st.one_of(
    anything,
    anything.map(lambda text: f"/v1/items/{text}"),
    st.sampled_from(["/v1/items", f"/v1/items/{ID}", "/v1/me", "/health"]),
)
methods = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "BREW"])
header_names = st.sampled_from(
    ["Idempotency-Key", "If-Match", "If-None-Match", "Content-Type", "Origin", "X-Amz-Cf-Id", "x"]
)
header_values = st.one_of(
    anything, st.sampled_from(["k", "*", "application/json", "application/merge-patch+json"])
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | anything
members = st.sampled_from(["title", "notes", "status", "due_on", "tags", "id", "version"])
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(members | anything, inner, max_size=6)
    ),
    max_leaves=12,
)
bodies = st.one_of(st.none(), anything, documents.map(json.dumps))


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    raw = event(
        draw(methods),
        draw(paths),
        body=draw(bodies),
        headers=draw(st.dictionaries(header_names, header_values, max_size=5)),
        query=draw(
            st.dictionaries(
                st.sampled_from(["limit", "status", "cursor"]) | anything,
                st.lists(anything, min_size=1, max_size=2),
                max_size=3,
            )
        ),
        user=draw(st.just(ALICE) | st.none() | anything),
    )
    if draw(st.booleans()):
        octets = base64.b64encode(draw(st.binary(max_size=30))).decode()
        raw |= {"body": draw(st.just(octets) | anything), "isBase64Encoded": True}
    optional = ["headers", "body", "requestContext", "resource", "pathParameters"]
    for missing in draw(st.sets(st.sampled_from(optional))):
        raw |= {missing: {} if missing == "requestContext" else None}
    return raw


@pytest.fixture(scope="module")
def client() -> Client:
    world = World()
    items = Items(world.east, REGION, MAX_ITEMS)
    items.create(caller(), "k", {"title": "There"})
    settings = Settings(
        REGION,
        TABLE,
        "items",
        "landing-test",
        frozenset({"*"}),
        frozenset({CLIENT_ID}),
        MAX_ITEMS,
        STANDBY,
    )

    return Client(ItemsApi(settings, items, open_fence(), Observer(settings)))


@hypothesis_settings(
    max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(raw=events())
def test_no_request_is_answered_with_a_fault(client: Client, raw: dict[str, Any]) -> None:
    answer = client.deliver(raw)
    assert 200 <= answer.status < 500
    if raw["httpMethod"] == "HEAD":
        assert answer.body == ""
    elif answer.status >= 400:
        assert answer.json["status"] == answer.status
        assert answer.headers["content-type"] == "application/problem+json"
    for value in answer.headers.values():
        value.encode("ascii")


@st.composite
def item_bodies(draw: st.DrawFn) -> dict[str, Any]:
    short = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=50)
    body: dict[str, Any] = {"title": draw(short)}
    if draw(st.booleans()):
        body["notes"] = draw(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=99))
    if draw(st.booleans()):
        body["tags"] = draw(st.lists(short, max_size=20, unique=True))
    if draw(st.booleans()):
        body["due_on"] = draw(st.dates()).isoformat()
    if draw(st.booleans()):
        body["status"] = draw(st.sampled_from(["todo", "doing", "done"]))
    return body


@given(body=item_bodies())
def test_any_text_that_people_can_read_is_kept_as_it_is(
    client: Client, body: dict[str, Any]
) -> None:
    # Not Alice, who may have deleted all that she owns above.
    made = client.create(body, user=BOB)
    readable = all(text.strip() for text in [body["title"], *body.get("tags", [])])
    assert made.status == (201 if readable else 400)
    if readable:
        read = client.send("GET", made.headers["location"], user=BOB).json
        assert {name: read[name] for name in body} == body
