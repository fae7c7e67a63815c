"""Which pages a preflight lets in: the gateway's template, evaluated for each kind of caller."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from project.account import LOCAL
from project.environment import tool_settings
from project.paths import TREE
from tests.support.velocity import overridden_headers

ALLOWED = ("https://app.example.com", "https://www.example.com", "http://localhost:5173")
STRANGE = (
    "https://evil.example",
    "https://app.example.com.evil.example",
    "https://evil.example/https://app.example.com",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://APP.example.com",
    "null",
    "",
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the module makes for several origins. No provider is needed to evaluate it."""
    text = (TREE.root / "modules/api/cors.tf").read_text()
    (assignment,) = re.findall(r"^  preflight_template = .*?^  \]\)$", text, re.M | re.S)
    folder = tmp_path_factory.mktemp("preflight")
    (folder / "main.tf").write_text(
        f'variable "allowed_origins" {{\n  type = list(string)\n}}\nlocals {{\n{assignment}\n}}\n'
    )
    (folder / "terraform.tfvars.json").write_text(json.dumps({"allowed_origins": ALLOWED}))
    return _console(folder, "jsonencode(local.preflight_template)")


def _console(folder: Path, expression: str) -> str:
    done = subprocess.run(
        ["terraform", "console"],
        cwd=folder,
        env={**os.environ, **tool_settings(TREE, LOCAL, os.environ)},
        input=f"{expression}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # The console shows a string as a string: twice encoded.
    return str(json.loads(json.loads(done.stdout)))


@pytest.mark.terraform
@pytest.mark.parametrize("name", ["Origin", "origin"])
@pytest.mark.parametrize("origin", ALLOWED)
def test_an_allowed_page_is_told_its_own_origin(template: str, name: str, origin: str) -> None:
    told = overridden_headers(template, {name: origin})
    assert told == {"Access-Control-Allow-Origin": origin}


@pytest.mark.terraform
@pytest.mark.parametrize("name", ["Origin", "origin"])
@pytest.mark.parametrize("origin", STRANGE)
def test_a_strange_page_is_told_of_the_first_origin_only(
    template: str, name: str, origin: str
) -> None:
    """The mapped header stays: the first allowed origin, which isn't the page's own."""
    assert overridden_headers(template, {name: origin}) == {}


@pytest.mark.terraform
def test_who_sends_no_origin_is_told_of_none_of_his_own(template: str) -> None:
    assert overridden_headers(template, {}) == {}


def test_the_evaluation_is_velocity_s() -> None:
    template = (
        '#set($a = $input.params().header.get("X"))\n'
        '#if(!$a) #set($a = "none") #end\n'
        '#if($a == "one" || $a == "none")\n#set($context.responseOverride.header.Y = $a)\n#end'
    )
    assert overridden_headers(template, {"X": "one"}) == {"Y": "one"}
    assert overridden_headers(template, {"X": "two"}) == {}
    assert overridden_headers(template, {}) == {"Y": "none"}
    unequal = '#if($a != "one")\n#set($context.responseOverride.header.Z = "two")\n#end'
    assert overridden_headers(f'#set($a = "one"){unequal}', {}) == {}
    assert overridden_headers(f'#set($a = "two"){unequal}', {}) == {"Z": "two"}
    # An empty string is no null.
    assert overridden_headers(template, {"X": ""}) == {}
