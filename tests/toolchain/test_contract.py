"""What breaks the released contract is refused, until it is said to; what adds to it is not."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from project.console import ToolchainError
from project.paths import TREE, Tree
from toolchain import contract
from toolchain.check_tools import OASDIFF, provide

# oasdiff is there once `make check` has run, which `make test` begins with.
pytestmark = pytest.mark.installs

Edit = Callable[[dict[str, Any]], object]


class Contract:
    """A copy of the tree's contract, to be edited."""

    def __init__(self, root: Path) -> None:
        self.tree = Tree(root)
        self.folder = root / "lambda"

    def spec(self, edit: Edit) -> None:
        path = self.folder / "openapi.yaml"
        document = yaml.safe_load(path.read_text())
        edit(document)
        path.write_text(yaml.safe_dump(document))

    def schema(self, name: str, edit: Edit) -> None:
        path = self.folder / "schemas" / f"{name}.json"
        document = json.loads(path.read_text())
        edit(document)
        path.write_text(json.dumps(document))


@pytest.fixture(scope="module")
def oasdiff() -> Path:
    return provide(TREE, OASDIFF, os.environ)


@pytest.fixture
def ours(tmp_path: Path) -> Contract:
    for name in ("openapi.yaml", "schemas"):
        source, copies = TREE.root / "lambda" / name, tmp_path / "lambda"
        for folder in (copies, copies / "released"):
            folder.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if source.is_dir() else shutil.copyfile
            copy(source, folder / name)
    return Contract(tmp_path)


def items(document: dict[str, Any], method: str = "get") -> dict[str, Any]:
    found: dict[str, Any] = document["paths"]["/v1/items"][method]
    return found


def schema(name: str, edit: Edit) -> Callable[[Contract], None]:
    return lambda ours: ours.schema(name, edit)


def spec(edit: Edit) -> Callable[[Contract], None]:
    return lambda ours: ours.spec(edit)


def adds_member(document: dict[str, Any], *, required: bool) -> None:
    document["properties"]["colour"] = {"type": "string"}
    document.setdefault("required", []).extend(["colour"] if required else [])


def loses_member(document: dict[str, Any], name: str) -> None:
    del document["properties"][name]
    document["required"] = [other for other in document["required"] if other != name]


CONFLICT = {"$ref": "#/components/responses/Conflict"}
BREAKING = {
    "answer-loses-member": (
        schema("item", lambda it: loses_member(it, "version")),
        "GET /v1/items/{id} removed the required property `version`",
    ),
    "answer-loses-optional-member": (
        schema("item", lambda it: loses_member(it, "notes")),
        "removed the optional property `notes`",
    ),
    "answer-may-lack-member": (
        schema("item", lambda it: it["required"].remove("tags")),
        "property `tags` became optional",
    ),
    "list-loses-member": (
        schema("item-list", lambda it: loses_member(it["properties"]["items"]["items"], "tags")),
        "GET /v1/items removed the required property `items/items/tags`",
    ),
    "problem-loses-member": (
        schema("problem", lambda it: loses_member(it, "detail")),
        "removed the required property `detail`",
    ),
    "request-requires-member": (
        schema("item-create", lambda it: adds_member(it, required=True)),
        "POST /v1/items added the new required request property `colour`",
    ),
    "request-takes-fewer-values": (
        schema("item-patch", lambda it: it["properties"]["status"]["enum"].remove("doing")),
        "removed the enum value `doing`",
    ),
    "request-takes-shorter-text": (
        schema("item-replace", lambda it: it["properties"]["notes"].update(maxLength=100)),
        "PUT /v1/items/{id} the `notes` request property's maxLength was decreased",
    ),
    "request-takes-fewer-members": (
        schema("item-create", lambda it: it["properties"].pop("tags")),
        "removed the request property `tags`",
    ),
    "answer-has-another-value": (
        schema("item", lambda it: it["properties"]["status"]["enum"].append("waiting")),
        "`waiting` enum value",
    ),
    "path-removed": (
        spec(lambda it: it["paths"].pop("/v1/me")),
        "DELETE /v1/me api path removed",
    ),
    "method-removed": (
        spec(lambda it: it["paths"]["/v1/items/{id}"].pop("patch")),
        "PATCH /v1/items/{id} api removed",
    ),
    "maximum-narrowed": (
        spec(lambda it: items(it)["parameters"][1]["schema"].update(maximum=50)),
        "GET /v1/items for the `query` request parameter `limit`, the max was decreased",
    ),
    "default-changed": (
        spec(lambda it: items(it)["parameters"][1]["schema"].update(default=50)),
        "default value was changed",
    ),
    "parameter-required": (
        spec(lambda it: items(it)["parameters"][0].update(required=True)),
        "GET /v1/items the `query` request parameter `status` became required",
    ),
    "new-refusal": (
        spec(lambda it: items(it)["responses"].update({"409": CONFLICT})),
        "GET /v1/items added the non-success response with the status `409`",
    ),
    "new-success": (
        spec(lambda it: items(it, "post")["responses"].update({"202": {"description": "Later."}})),
        "POST /v1/items added the success response with the status `202`",
    ),
    "success-removed": (
        spec(lambda it: it["paths"]["/v1/me"]["delete"]["responses"].pop("202")),
        "DELETE /v1/me removed the success response with the status `202`",
    ),
    "header-removed": (
        spec(lambda it: items(it, "post")["responses"]["201"]["headers"].pop("ETag")),
        "POST /v1/items the optional response header",
    ),
    "scope-removed": (
        spec(lambda it: items(it)["security"].pop(1)),
        "GET /v1/items the endpoint scheme security",
    ),
    "public-route-wants-token": (
        spec(lambda it: it["paths"]["/health"]["get"].update(security=[{"cognito": ["x"]}])),
        "GET /health the endpoint scheme security",
    ),
    "browsers-send-less": (
        spec(lambda it: it["x-cors"]["allow_headers"].remove("if-match")),
        "x-cors allow_headers lost `if-match`",
    ),
    "deprecated-without-notice": (
        spec(lambda it: items(it).update(deprecated=True)),
        "GET /v1/items",
    ),
}
HARMLESS = {
    "the-same": spec(lambda _: None),
    "answer-has-more": schema("item", lambda it: adds_member(it, required=True)),
    "answer-may-have-more": schema("item", lambda it: adds_member(it, required=False)),
    "request-takes-more": schema("item-create", lambda it: adds_member(it, required=False)),
    "request-takes-longer-text": schema(
        "item-create", lambda it: it["properties"]["notes"].update(maxLength=9000)
    ),
    "new-path": spec(lambda it: it["paths"].update({"/v2/items": it["paths"]["/v1/items"]})),
    "other-words": spec(lambda it: it["info"].update(description="A list.")),
    "refusal-gone": spec(lambda it: items(it, "post")["responses"].pop("413")),
    "announced": spec(lambda it: items(it).update({"deprecated": True, "x-sunset": "2999-12-31"})),
}


@pytest.mark.parametrize(("edit", "named"), BREAKING.values(), ids=BREAKING)
def test_what_breaks_users_is_refused_by_its_name_until_the_major_version_is_new(
    ours: Contract, oasdiff: Path, edit: Callable[[Contract], None], named: str
) -> None:
    edit(ours)
    with pytest.raises(ToolchainError) as refusal:
        contract.check(ours.tree, oasdiff)
    assert named in str(refusal.value)
    assert 'info.version: "2.0.0"' in str(refusal.value)

    ours.spec(lambda it: it["info"].update(version="1.1.0"))
    with pytest.raises(ToolchainError):
        contract.check(ours.tree, oasdiff)

    ours.spec(lambda it: it["info"].update(version="2.0.0"))
    assert contract.check(ours.tree, oasdiff).breaking


@pytest.mark.parametrize("edit", HARMLESS.values(), ids=HARMLESS)
def test_what_only_adds_passes(
    ours: Contract, oasdiff: Path, edit: Callable[[Contract], None]
) -> None:
    edit(ours)
    assert contract.check(ours.tree, oasdiff).breaking == ()


def test_what_only_a_person_can_judge_passes_by_a_line_and_what_is_sure_does_not(
    ours: Contract, oasdiff: Path
) -> None:
    ours.spec(lambda it: items(it)["parameters"][1]["schema"].update(default=50))
    ours.schema("item-create", lambda it: it["properties"]["title"].update(maxLength=10))
    (doubtful, sure) = sorted(
        contract.compare(ours.folder / "released", ours.folder, oasdiff).breaking,
        key=lambda change: change.sure,
    )
    judged = "\n".join(f"Checked with the apps: {it.line()}" for it in (doubtful, sure))
    (ours.folder / "released" / contract.JUDGED).write_text(judged)

    left = contract.compare(ours.folder / "released", ours.folder, oasdiff).breaking

    assert left == (sure,)


def test_a_release_makes_the_contract_the_promise(ours: Contract, oasdiff: Path) -> None:
    released = ours.folder / "released"
    ours.schema("item", lambda it: adds_member(it, required=False))
    (ours.folder / "schemas" / "new.json").write_text("{}")
    (released / "schemas" / "gone.json").write_text("{}")
    (released / contract.JUDGED).write_text("# Why\nGET /v1/items\n")

    contract.release(ours.tree, oasdiff)

    assert (released / contract.JUDGED).read_text() == "# Why\n"
    (released / contract.JUDGED).unlink()
    assert _files(released) == _files(ours.folder, but="released")
    ours.schema("item", lambda it: it["properties"].pop("colour"))
    with pytest.raises(ToolchainError, match="`colour`"):
        contract.check(ours.tree, oasdiff)


def test_a_release_that_breaks_unsaid_is_refused_and_changes_nothing(
    ours: Contract, oasdiff: Path
) -> None:
    before = _files(ours.folder / "released")
    ours.spec(lambda it: it["paths"].pop("/v1/me"))
    with pytest.raises(ToolchainError, match="/v1/me"):
        contract.release(ours.tree, oasdiff)
    assert _files(ours.folder / "released") == before


def _files(folder: Path, but: str = "") -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
    return {name: content for name, content in named.items() if not (but and but in name)}


@pytest.mark.parametrize("version", ["1.0", "v2", "", "2026-11-28"])
def test_a_version_without_a_major_one_is_refused(
    ours: Contract, oasdiff: Path, version: str
) -> None:
    ours.spec(lambda it: it["info"].update(version=version))
    with pytest.raises(ToolchainError, match="three numbers"):
        contract.check(ours.tree, oasdiff)


def test_a_contract_that_cannot_be_read_is_no_pass(ours: Contract, oasdiff: Path) -> None:
    (ours.folder / "schemas" / "item.json").unlink()
    with pytest.raises(ToolchainError, match="could not compare"):
        contract.check(ours.tree, oasdiff)
