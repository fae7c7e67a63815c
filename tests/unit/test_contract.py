"""openapi.yaml, its schemas, the handler's routes and its answers say the same."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import fastjsonschema
import pytest
import yaml

from items import contract, fence, logic, model, problems, request, routes, table
from items.logic import SOFT_DELETED_KEPT
from items.request import MAX_BODY_BYTES
from tests.unit.support import ORIGIN, Json

if TYPE_CHECKING:
    from types import ModuleType

    from tests.unit.support import Client

LAMBDA = Path(contract.__file__).parent.parent
OPENAPI: Json = yaml.safe_load((LAMBDA / "openapi.yaml").read_text("utf-8"))
SCHEMAS = sorted(path.stem for path in (LAMBDA / "schemas").glob("*.json"))
OPERATIONS = {
    (method.upper(), path): operation
    for path, methods in OPENAPI["paths"].items()
    for method, operation in methods.items()
}
# What draft 4 has and a gateway's model takes. No $ref: a model can't refer to a file.
DRAFT_4 = {
    "$schema", "title", "description", "type", "enum", "required", "properties",
    "additionalProperties", "items", "minItems", "maxItems", "uniqueItems", "minLength",
    "maxLength", "pattern", "minimum", "maximum",
}  # fmt: skip
TYPES = {"object", "array", "string", "integer", "number", "boolean", "null"}


def subschemas(schema: Json) -> list[Json]:
    inner = [*schema.get("properties", {}).values()]
    inner += [schema["items"]] if "items" in schema else []
    return [schema] + [found for one in inner for found in subschemas(one)]


def test_every_operation_of_the_contract_has_its_route_and_no_route_more(client: Client) -> None:
    served = [(r.method, r.resource) for r in (*client.api.routes, *client.health.routes)]
    assert sorted(served) == sorted(OPERATIONS)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_says_who_may_call_it(method: str, path: str) -> None:
    scopes = {s for one in OPERATIONS[method, path]["security"] for s in one["cognito"]}
    if path.startswith("/health"):
        assert scopes == set()
    else:
        own = "items/read" if method == "GET" else "items/write"
        assert scopes == {own, "aws.cognito.signin.user.admin"}


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_names_its_path_parameters_and_answers(method: str, path: str) -> None:
    operation = OPERATIONS[method, path]
    named = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
    assert named == set(re.findall(r"{(\w+)}", path))
    assert operation["responses"]
    assert all(HTTPStatus(int(code)) for code in operation["responses"])


def test_operation_ids_differ() -> None:
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(ids)) == len(ids)


def test_every_reference_leads_somewhere() -> None:
    text = json.dumps(OPENAPI)
    files = set(re.findall(r'"\$ref": "schemas/([\w-]+)\.json"', text))
    assert files == set(SCHEMAS)
    for pointer in set(re.findall(r'"\$ref": "#/([^"]+)"', text)):
        target = OPENAPI
        for part in pointer.split("/"):
            target = target[part]


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_clean_draft_4_and_stands_by_itself(name: str) -> None:
    schema = contract.schema(name)
    assert schema["$schema"] == "http://json-schema.org/draft-04/schema#"
    assert re.fullmatch("[A-Za-z0-9]+", schema["title"])  # a gateway model's name
    for one in subschemas(schema):
        assert set(one) <= DRAFT_4
        kinds = one["type"] if isinstance(one["type"], list) else [one["type"]]
        assert set(kinds) <= TYPES
        assert isinstance(one.get("additionalProperties", False), bool)
        assert one.get("required") != []
        assert set(one.get("required", ())) <= set(one.get("properties", ()))
        # Java's, ECMAScript's and Python's readings of these agree.
        assert not re.search(r"\\[AZzbBdDwWpPQE]|\(\?", one.get("pattern", ""))


def test_a_schema_title_is_used_once() -> None:
    assert len({contract.schema(name)["title"] for name in SCHEMAS}) == len(SCHEMAS)


def test_create_replace_and_item_agree_on_every_member() -> None:
    members = contract.schema("item-create")["properties"]
    assert contract.schema("item-replace")["properties"] == members
    shown = contract.schema("item")["properties"]
    assert {name: shown[name] for name in members} == members
    listed = contract.schema("item-list")["properties"]["items"]["items"]
    assert listed["properties"] == shown
    assert listed["required"] == contract.schema("item")["required"]


def test_a_patch_takes_the_same_members_and_null_for_all_but_the_title() -> None:
    members = contract.schema("item-create")["properties"]
    patched = contract.schema("item-patch")["properties"]
    assert patched["title"] == members["title"]
    for name in members.keys() - {"title"}:
        nullable = members[name] | {"type": [members[name]["type"], "null"]}
        if "enum" in nullable:
            nullable["enum"] = [*nullable["enum"], None]
        assert patched[name] == nullable


def test_the_contract_and_the_code_name_the_same_limits() -> None:
    assert list(routes.STATUSES) == contract.schema("item")["properties"]["status"]["enum"]
    query = {p["name"]: p["schema"] for p in OPERATIONS["GET", "/v1/items"]["parameters"]}
    assert query["status"]["enum"] == list(routes.STATUSES)
    assert query["limit"]["maximum"] == routes.MAX_LIMIT
    assert query["limit"]["default"] == routes.DEFAULT_LIMIT
    assert contract.schema("item-list")["properties"]["items"]["maxItems"] == routes.MAX_LIMIT
    described = OPENAPI["components"]["responses"]["TooLarge"]["description"]
    assert f"{MAX_BODY_BYTES // 1024} KiB" in described
    assert f"{SOFT_DELETED_KEPT.days} days" in OPERATIONS["DELETE", "/v1/items/{id}"]["description"]
    assert f"{SOFT_DELETED_KEPT.days} days" in OPERATIONS["POST", "/v1/items"]["description"]


def test_every_operation_that_writes_says_what_the_fence_refuses_and_no_other_does() -> None:
    for (method, path), operation in OPERATIONS.items():
        named = {
            kind.type
            for kind in (problems.WRITES_ELSEWHERE, problems.WRITES_PAUSED)
            if kind.type in described(operation["responses"].get("503", {}))
        }
        writes = method not in {"GET", "HEAD"}
        assert len(named) == (2 if writes else 0), (method, path)


def described(response: Json) -> str:
    name = response.get("$ref", "").rpartition("/")[2]
    return str(OPENAPI["components"]["responses"].get(name, response).get("description", ""))


@pytest.mark.parametrize(
    ("module", "limits"),
    [
        (
            logic,
            {
                "SOFT_DELETED_KEPT": timedelta(days=30),
                "ATTEMPTS": 3,
                "CLOSED_FOR": timedelta(days=1),
                "DELETION_PAGES": 40,
                "DELETION_PAGE_ROWS": 250,
            },
        ),
        (model, {"DEFAULT_STATUS": "todo", "KEPT_WRITES": 4}),
        (
            table,
            {
                "COUNTED_PAGES": 20,
                "COUNT_EVERY_SECONDS": 3600,
                "CROWDED_PAGES": 100,
                "_BATCH": 25,
                "_FIRST_ID": "0",
                "_PAST_IDS": "g",
            },
        ),
        (routes, {"DEFAULT_LIMIT": 25, "MAX_LIMIT": 100}),
        (routes, {"_DELETION_SHARE": 0.4, "_DELETION_SECONDS": 4.0}),
        (
            fence,
            {
                "NOBODY": "nobody",
                "KEPT_SECONDS": 2.0,
                "HANDOVER_MS": 5_000,
                "SHARED_AFTER_MS": 60_000,
            },
        ),
        (request, {"MAX_BODY_BYTES": 65_536, "MAX_SUB": 128}),
    ],
    ids=lambda value: value.__name__ if hasattr(value, "__name__") else "",
)
def test_a_limit_changes_on_purpose_only(module: ModuleType, limits: dict[str, object]) -> None:
    # Other tests shrink these, or read them where they are.
    assert {name: getattr(module, name) for name in limits} == limits


def test_browsers_are_told_of_the_same_headers_by_gateway_and_handler(client: Client) -> None:
    answer = client.send("GET", "/health", headers={"Origin": ORIGIN})
    exposed = answer.headers["access-control-expose-headers"].split(", ")
    assert exposed == OPENAPI["x-cors"]["expose_headers"]


def test_browsers_may_send_every_header_that_the_contract_names() -> None:
    named = {
        parameter["name"].lower()
        for operation in OPERATIONS.values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "header"
    }
    assert named | {"authorization", "content-type"} == set(OPENAPI["x-cors"]["allow_headers"])


def test_what_the_handler_shows_fits_the_contract(client: Client) -> None:
    validate = {name: fastjsonschema.compile(contract.schema(name)) for name in SCHEMAS}
    bare = client.create({"title": "Bare"})
    full = client.create(
        {"title": "Full", "notes": "n\n", "status": "done", "due_on": "2024-02-29", "tags": ["a"]}
    )
    for item in (bare, full):
        validate["item"](item.json)
    validate["item-list"](client.send("GET", "/v1/items", query={"limit": ["1"]}).json)
    validate["item-list"](client.send("GET", "/v1/items").json)
    for problem in (
        client.create({"nope": 1}),
        client.send("GET", "/v1/items/x"),
        client.send("GET", "/v1/items", user=None),
        client.send("GET", "/health/takeover", user=None),
    ):
        validate["problem"](problem.json)
