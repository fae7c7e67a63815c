"""Whatever is sent: a 4xx and a problem that says what to do, never a 5xx.

`Api.send` checks each answer for both; here stand the things to send.
"""

from __future__ import annotations

import json
import os
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from fastjsonschema import JsonSchemaValueException
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.e2e.conftest import signed_in
from tests.support import contract
from tests.support.api import JSON, MERGE_PATCH, etag_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from tests.e2e.account_operator import Operator
    from tests.support.api import Api, SignedIn
    from tests.support.users import Pool

# The same examples in every run: a suite that guards a deployment must not depend on luck.
# E2E_EXAMPLES=1000 looks for new ones.
EXAMPLES = int(os.environ.get("E2E_EXAMPLES", "0"))
bounded = settings(
    max_examples=EXAMPLES or 40,
    derandomize=not EXAMPLES,
    database=None,
)

BIG = 64 * 1024


@pytest.fixture(scope="module")
def me(api: Api, pool: Pool, operator: Operator) -> Iterator[SignedIn]:
    """One person for all: what is refused leaves nothing behind, and signing in takes its time."""
    with signed_in(api, pool, operator) as somebody:
        yield somebody


def newest(me: SignedIn) -> dict[str, Any] | None:
    """The newest item of all: the same as before, if nothing was made."""
    items: list[dict[str, Any]] = me.list(limit=1).json()["items"]
    return items[0] if items else None


def post(me: SignedIn, body: bytes | str, media: str = JSON) -> requests.Response:
    headers = {"content-type": media, "idempotency-key": str(uuid.uuid4())}
    return me.send("POST", "/v1/items", headers=headers, body=body)


def padded(body: str, size: int) -> bytes:
    """The same JSON in exactly so many bytes."""
    return body.encode() + b" " * (size - len(body.encode()))


NO_JSON = {
    "nothing": b"",
    "blank": b"   ",
    "half": b'{"title": "x"',
    "two": b'{"title": "x"}{"title": "y"}',
    "trailing comma": b'{"title": "x",}',
    "single quotes": b"{'title': 'x'}",
    "a comment": b'{"title": "x" /* y */}',
    "not utf-8": b'{"title": "\xff\xfe"}',
    "utf-16": '{"title": "x"}'.encode("utf-16"),
    "overlong utf-8": b'{"title": "\xc0\x80"}',
    "a raw null byte": b'{"title": "a\x00b"}',
    "a raw line break in a string": b'{"title": "a\nb"}',
    "NaN": b'{"title": NaN}',
    "Infinity": b'{"title": "x", "tags": [-Infinity]}',
    "form data": b"title=x",
    "deep arrays": b"[" * 20_000,
    "deep objects": b'{"a":' * 10_000,
    "deep and closed": b'{"title":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "a very long number": b'{"title": ' + b"9" * 20_000 + b"}",
    "a very large exponent": b'{"title": 1e999999999}',
}

WRONG_BODIES: dict[str, Any] = {
    "null": None,
    "true": True,
    "a number": 1,
    "a string": "title",
    "an array": [{"title": "x"}],
    "an empty object": {},
    "no title": {"notes": "x"},
    "title null": {"title": None},
    "title a number": {"title": 1},
    "title an object": {"title": {"$ne": ""}},
    "title empty": {"title": ""},
    "title blank": {"title": " \u00a0\u2003 "},
    "title too long": {"title": "x" * 201},
    "title with a line break": {"title": "a\nb"},
    "title with a null byte": {"title": "a\u0000b"},
    "title with an escape": {"title": "a\u001b[31mb"},
    "title with DEL": {"title": "a\u007fb"},
    "title half a surrogate pair": {"title": "\ud800"},
    "notes half a surrogate pair": {"title": "x", "notes": "a\udfffb"},
    "tag half a surrogate pair": {"title": "x", "tags": ["\udc00"]},
    "notes too long": {"title": "x", "notes": "x" * 4001},
    "notes with a null byte": {"title": "x", "notes": "\u0000"},
    "notes an array": {"title": "x", "notes": []},
    "status unknown": {"title": "x", "status": "deleted"},
    "status in capitals": {"title": "x", "status": "TODO"},
    "status a list": {"title": "x", "status": ["todo"]},
    "due_on no date": {"title": "x", "due_on": "tomorrow"},
    "due_on no such day": {"title": "x", "due_on": "2031-02-30"},
    "due_on a time": {"title": "x", "due_on": "2031-02-01T00:00:00Z"},
    "due_on other digits": {
        "title": "x",
        "due_on": "\u0662\u0660\u0663\u0661-\u0660\u0662-\u0660\u0661",
    },
    "due_on a line break": {"title": "x", "due_on": "2031-02-01\n"},
    "due_on year nought": {"title": "x", "due_on": "0000-01-01"},
    "due_on a number": {"title": "x", "due_on": 20310201},
    "tags a string": {"title": "x", "tags": "home"},
    "tags twice": {"title": "x", "tags": ["a", "a"]},
    "tags too many": {"title": "x", "tags": [str(n) for n in range(21)]},
    "tags too long": {"title": "x", "tags": ["x" * 51]},
    "tags empty": {"title": "x", "tags": [""]},
    "tags mixed": {"title": "x", "tags": ["a", 1, None]},
    "tags nested": {"title": "x", "tags": [["a"]]},
    "an unknown field": {"title": "x", "titel": "y"},
    "an unknown field of the server": {"title": "x", "expires_at": 0},
    "a prototype": {"title": "x", "__proto__": {"admin": True}},
    "a dunder": {"title": "x", "__class__": "x"},
    "an empty name": {"title": "x", "": ""},
    "a name of 10,000 characters": {"title": "x", "n" * 10_000: 1},
    "a name with a null byte": {"title": "x", "\u0000": 1},
}

TEXTS = {
    "emoji with joiners": "👩‍👩‍👧‍👦 family",
    "right to left": "\u202eevil\u202c עברית العربية",
    "combining": "Z͑ͫ̓ͪ̂ͫ̽͏̴̙a̴̸l̷g̶o̵",
    "outside the first plane": "𝒳𐍈🜁",
    "a byte order mark": "\ufeffx",
    "non-characters": "x\uffff\ufffe",
    "line separators": "a\u2028b\u2029c",
    "C1 controls": "a\u0080\u009fb",
    "SQL": "'; DROP TABLE items; --",
    "markup": "<script>alert(1)</script>",
    "a template": "{{7*7}} ${jndi:ldap://x} %s %n {0}",
    "an expression": "attribute_not_exists(owner) OR #k = :v",
    "backslashes": '\\"\\\\\\u0000',
    "decomposed": "e\u0301 is not \u00e9",
    "the longest": "🥛" * 200,
}

ODD_IDS = {
    "a null byte": "%00",
    "a line break": "a%0d%0aset-cookie:%20x=1",
    "a slash": "a%2Fb",
    "up and away": "..%2f..%2fhealth",
    "dots": "%2e%2e",
    "a space": "%20",
    "a hash": "user%23x",
    "broken utf-8": "%ff%fe",
    "overlong utf-8": "%c0%af",
    "twice encoded": "%2500",
    "no hexadecimal": "%zz",
    "emoji": "%F0%9F%A5%9B",
    "capitals": "ABCDEF00-0000-4000-8000-000000000000",
    "braces": "{id}",
    "a star": "*",
    "very long": "x" * 1500,
    "longer than a key may be": "x" * 2100,
    "a semicolon": "x;y=z",
    "an expression": "attribute_exists(owner)",
}


@pytest.mark.parametrize("case", NO_JSON)
def test_what_is_no_json_is_refused(me: SignedIn, case: str) -> None:
    before = newest(me)

    assert post(me, NO_JSON[case]).status_code == 400
    assert newest(me) == before


@pytest.mark.parametrize("case", WRONG_BODIES)
def test_a_body_that_does_not_fit_is_refused_everywhere(me: SignedIn, case: str) -> None:
    wrong = WRONG_BODIES[case]
    created = me.create({"title": "Untouched"}, str(uuid.uuid4()))
    item_id, etag = created.json()["id"], etag_of(created)

    assert me.create(wrong, str(uuid.uuid4())).status_code == 400
    assert me.replace(item_id, wrong, if_match=etag).status_code == 400
    if case not in ("an empty object", "no title"):
        assert me.patch(item_id, wrong, if_match=etag).status_code == 400
    assert newest(me) == created.json()


@pytest.mark.parametrize("case", TEXTS)
def test_any_text_comes_back_as_it_was_sent(me: SignedIn, case: str) -> None:
    item = {"title": TEXTS[case], "notes": TEXTS[case], "tags": [TEXTS[case][:50]]}

    created = me.create(item, str(uuid.uuid4()))

    assert created.status_code == 201
    read = me.get(created.json()["id"]).json()
    assert {name: read[name] for name in item} == item


@pytest.mark.parametrize("case", ODD_IDS)
def test_an_id_that_is_none_finds_nothing(me: SignedIn, case: str) -> None:
    path = f"/v1/items/{ODD_IDS[case]}"
    change = {"content-type": JSON, "if-match": "*"}

    for method, headers, body in (
        ("GET", {}, None),
        ("PUT", change, '{"title": "x"}'),
        ("PATCH", change, '{"title": "x"}'),
        ("DELETE", {}, None),
    ):
        answer = me.send(method, path, headers=headers, body=body)
        # 403 is the gateway's word for a path that it doesn't know.
        assert answer.status_code in (400, 403, 404), method
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "if_match",
    ["x", '"', '"unclosed', "W/", 'W/"1"', '"1" "2"', ",", '""', '"é"', '"' + "9" * 4000 + '"'],
)
def test_an_etag_that_is_none_changes_nothing(me: SignedIn, if_match: str) -> None:
    created = me.create({"title": "Guarded"}, str(uuid.uuid4())).json()
    headers = {"content-type": JSON, "if-match": if_match.encode()}

    for method in ("PUT", "PATCH", "DELETE"):
        answer = me.send(
            method,
            f"/v1/items/{created['id']}",
            headers=headers,
            body=None if method == "DELETE" else '{"title": "x"}',
        )
        assert answer.status_code in (400, 412), method
    read = me.send(
        "GET", f"/v1/items/{created['id']}", headers={"if-none-match": headers["if-match"]}
    )
    assert read.status_code in (200, 400)
    assert me.get(created["id"]).json() == created


@pytest.mark.parametrize("extra", [1, 1024, 200 * 1024])
def test_a_body_that_is_too_large_is_refused(me: SignedIn, extra: int) -> None:
    body = padded('{"title": "x"}', BIG + extra)
    created = me.create({"title": "Untouched"}, str(uuid.uuid4()))
    path = f"/v1/items/{created.json()['id']}"
    change = {"content-type": JSON, "if-match": etag_of(created)}

    assert post(me, body).status_code == 413
    assert me.send("PUT", path, headers=change, body=body).status_code == 413
    assert me.send("PATCH", path, headers=change, body=body).status_code == 413
    assert newest(me) == created.json()


def test_a_body_that_just_fits_is_taken(me: SignedIn) -> None:
    assert post(me, padded('{"title": "x"}', BIG)).status_code == 201


def test_the_largest_item_is_taken(me: SignedIn) -> None:
    item = {
        "title": "🥛" * 200,
        "notes": "🥛" * 4000,
        "tags": ["🥛" * 48 + f"{n:02}" for n in range(20)],
    }

    answer = me.send(
        "POST",
        "/v1/items",
        headers={"content-type": JSON, "idempotency-key": str(uuid.uuid4())},
        body=json.dumps(item, ensure_ascii=False),
    )

    assert answer.status_code == 201


@pytest.mark.parametrize(
    "media", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "x", "a/b/c"]
)
def test_a_body_of_another_kind_is_refused(me: SignedIn, media: str) -> None:
    created = me.create({"title": "Untouched"}, str(uuid.uuid4()))
    path = f"/v1/items/{created.json()['id']}"
    change = {"content-type": media, "if-match": etag_of(created)}

    assert post(me, '{"title": "x"}', media).status_code == 415
    assert me.send("PUT", path, headers=change, body='{"title": "x"}').status_code == 415
    assert me.send("PATCH", path, headers=change, body='{"title": "x"}').status_code == 415


def test_json_may_name_its_charset(me: SignedIn) -> None:
    assert post(me, '{"title": "x"}', "application/json; charset=utf-8").status_code == 201
    assert post(me, '{"title": "x"}', "Application/JSON").status_code == 201


def test_a_merge_patch_is_no_way_to_create(me: SignedIn) -> None:
    assert post(me, '{"title": "x"}', MERGE_PATCH).status_code == 415


def test_a_name_given_twice_is_no_way_around_validation(me: SignedIn) -> None:
    answer = post(me, '{"title": "good", "title": {"bad": 1}}')

    assert answer.status_code == 400


@pytest.mark.each_region
def test_a_problem_says_where(me: SignedIn) -> None:
    answer = me.create({"title": "x", "due_on": "2031-02-30"}, str(uuid.uuid4()))

    assert answer.json()["errors"][0]["pointer"] == "/due_on"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=60),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3)
    ),
    max_leaves=12,
)
fields: dict[str, st.SearchStrategy[Any]] = {
    "notes": st.text(max_size=60) | json_values,
    "status": st.sampled_from(["todo", "doing", "done", "Done"]) | json_values,
    "due_on": st.dates().map(str) | json_values,
    "tags": st.lists(st.text(max_size=20), max_size=4) | json_values,
    "x": json_values,
}
bodies = json_values | st.fixed_dictionaries(
    {"title": st.text(min_size=1, max_size=40) | json_values}, optional=fields
)


def fits(schema: str, body: object) -> bool:
    """What the contract says of a body; the one rule that no schema can state is a real text."""
    try:
        contract.schema(schema)(body)
        json.dumps(body, ensure_ascii=False).encode()
    except (JsonSchemaValueException, UnicodeEncodeError):
        return False
    return True


@bounded
@given(body=bodies)
def test_a_create_is_taken_exactly_when_it_fits_the_contract(me: SignedIn, body: object) -> None:
    answer = me.create(body, str(uuid.uuid4()))

    assert answer.status_code == (201 if fits("item-create", body) else 400)


@bounded
@given(body=bodies)
def test_a_patch_is_taken_exactly_when_it_fits_the_contract(me: SignedIn, body: object) -> None:
    item_id = me.create({"title": "To be patched"}, "one-item").json()["id"]

    answer = me.patch(item_id, body, if_match="*")

    assert answer.status_code == (200 if fits("item-patch", body) else 400)


@bounded
@given(raw=st.binary(max_size=200))
def test_no_bytes_are_a_fault_of_ours(me: SignedIn, raw: bytes) -> None:
    assert post(me, raw).status_code == 400


query_values = st.text(max_size=80)


@bounded
@given(name=st.sampled_from(["limit", "cursor", "status", "unknown"]), value=query_values)
def test_no_query_is_a_fault_of_ours(me: SignedIn, name: str, value: str) -> None:
    answer = me.list(**{name: value})

    # Chance may find a limit or a status.
    assert answer.status_code in ((400,) if name == "unknown" else (200, 400))


@bounded
@given(item_id=st.text(min_size=1, max_size=80))
def test_no_id_is_a_fault_of_ours(me: SignedIn, item_id: str) -> None:
    answer = me.send("GET", f"/v1/items/{quote(item_id.encode('utf-8', 'replace'), safe='')}")

    assert answer.status_code in (400, 403, 404)


# AWS's own examples of what its managed rules for bodies look for.
ATTACKS = (
    "${jndi:ldap://example.com/}",
    "(java.lang.Runtime).getRuntime().exec('whoami')",
    "<script>alert('hello')</script>",
    "http://169.254.169.254/latest/meta-data/",
    "../../etc/passwd",
)


def test_a_note_may_quote_an_attack(me: SignedIn) -> None:
    attacks = {"title": "What to look for", "notes": "\n".join(ATTACKS)}

    made = me.create(attacks, str(uuid.uuid4()))

    assert made.status_code == 201
    assert made.json()["notes"] == "\n".join(ATTACKS)


def test_a_note_may_be_longer_than_what_aws_takes_for_usual(me: SignedIn) -> None:
    long = {"title": "Long", "notes": "€" * 4000}

    assert me.create(long, str(uuid.uuid4())).status_code == 201


def test_an_attack_elsewhere_is_refused_at_the_edge_in_words_that_a_program_reads(
    me: SignedIn,
) -> None:
    answer = me.send("GET", f"/v1/items?cursor={quote(ATTACKS[0])}")

    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-amz-cf-id"]
    contract.schema("refusal")(answer.json())
    assert "x-served-by" not in answer.headers
