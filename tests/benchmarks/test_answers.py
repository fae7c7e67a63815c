"""Every column of the benchmark answers the same requests alike, so that it compares likes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import packages
from benchmarks.driver import ID
from benchmarks.table import table
from project.paths import TREE
from toolchain.package import build_package

if TYPE_CHECKING:
    from pathlib import Path

SHOWN = ("title", "status", "tags", "version")


def check(package: packages.Package) -> None:
    """Have it answer a POST, a GET and a LIST, and look at each."""
    with table() as url:
        answers: dict[str, Any] = package.run(packages.interpreter(), url, "answers")
    assert {name: one["status"] for name, one in answers.items()} == {
        "POST": 201, "GET": 200, "LIST": 200,
    }, package.name  # fmt: skip
    made, read, listed = (answers[name]["body"] for name in ("POST", "GET", "LIST"))
    for item in (made, read, *listed["items"]):
        assert [item[name] for name in SHOWN] == ["Buy milk", "todo", ["home"], 1], package.name
    assert read["id"] == ID
    assert [item["id"] for item in listed["items"]] == [ID] * 25


def test_ours_and_the_floor_answer_alike(tmp_path: Path) -> None:
    build_package(TREE)
    check(packages.ours(tmp_path))
    check(packages.floor(tmp_path, packages.interpreter()))


@pytest.mark.installs
def test_the_rivals_answer_alike(tmp_path: Path) -> None:
    for package in packages.rivals(tmp_path, packages.interpreter()):
        check(package)


def test_every_mode_gives_the_figures_that_the_table_has(tmp_path: Path) -> None:
    build_package(TREE)
    ours, python = packages.ours(tmp_path), packages.interpreter()
    names = ("POST", "GET", "LIST")
    with table() as url:
        cold = ours.run(python, url, "cold")
        given = {mode: ours.run(python, url, mode, "2") for mode in ("warm", "traced", "alone")}
    assert set(cold) == {"import", "first", "cold", "memory"}
    assert given.keys() == {"warm", "traced", "alone"}
    for mode, figures in given.items():
        suffix = "" if mode == "warm" else f" {mode}"
        assert set(figures) == {name + suffix for name in names}
    every = {**cold, **given["warm"], **given["traced"], **given["alone"]}
    assert all(value > 0 for value in every.values())
    assert json.dumps(every)
