"""The benchmark's arithmetic, its table, and what its exit status says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from benchmarks import __main__ as command
from benchmarks import packages
from benchmarks.comparison import MEASURES, OURS, RIVAL, Figure, document, rows, table
from project.console import ToolchainError

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.comparison import Row

# Half of the other's of everything, and so within every budget that isn't smaller.
MEASURED = {
    OURS: [{each.key: 0.1 for each in MEASURES} | {"bytes": 5e6} for _ in range(3)],
    RIVAL: [{each.key: 1.0 for each in MEASURES} | {"bytes": 2e7} for _ in range(3)],
    "floor": [{"import": 0.01, "bytes": 1e4} for _ in range(3)],
}


def by_label(compared: list[Row]) -> dict[str, Row]:
    return {row.measure.label: row for row in compared}


def with_ours(key: str, *values: float) -> dict[str, list[dict[str, float]]]:
    ours = [figures | {key: value} for figures, value in zip(MEASURED[OURS], values, strict=True)]
    return {**MEASURED, OURS: ours}


def test_a_figure_is_the_median_of_the_runs_with_the_quartiles_around_it() -> None:
    assert Figure.of([5.0, 1.0, 3.0, 2.0, 4.0]) == Figure(2.0, 3.0, 4.0)
    assert Figure.of([7.0]) == Figure(7.0, 7.0, 7.0)


def test_a_ratio_is_of_medians_so_that_one_busy_run_changes_nothing() -> None:
    cold = by_label(rows(with_ours("cold", 0.4, 9.0, 0.4)))["cold start"]
    assert cold.ratio == pytest.approx(0.4)
    assert cold.kept


@pytest.mark.parametrize(("cold", "kept"), [(0.42, True), (0.43, False)])
def test_a_ratio_above_its_budget_is_missed(cold: float, kept: bool) -> None:
    row = by_label(rows(with_ours("cold", cold, cold, cold)))["cold start"]
    assert row.kept is kept
    assert ("missed" in table([row], [OURS, RIVAL])) is not kept


def test_a_limit_is_of_our_own_size_whatever_the_others_have() -> None:
    zipped = by_label(rows(with_ours("bytes", 6.1e6, 6.1e6, 6.1e6)))["zip"]
    assert zipped.ratio == pytest.approx(0.305)
    assert not zipped.kept


def test_the_table_has_a_row_for_each_measure_and_leaves_out_what_a_package_lacks() -> None:
    lines = table(rows(MEASURED), list(MEASURED)).splitlines()
    assert len(lines) == 2 + len(MEASURES)
    assert len({len(line) for line in lines}) == 1
    cells = [cell.strip() for cell in lines[2].split("|")[1:-1]]
    assert cells == ["import, ms", "100", "1000", "10", "0.10", ""]
    assert [line.split("|")[4].strip() for line in lines if "traced POST" in line] == [""]


def test_a_machine_reads_the_same() -> None:
    read = json.loads(json.dumps(document(rows(MEASURED), {"runs": 3})))
    assert (read["runs"], read["kept"], len(read["rows"])) == (3, True, len(MEASURES))
    cold = next(row for row in read["rows"] if row["name"] == "cold start")
    assert cold["figures"][RIVAL] == {"low": 1000, "median": 1000, "high": 1000}
    assert (cold["ratio"], cold["budget"], cold["kept"]) == (pytest.approx(0.1), 0.42, True)


@pytest.fixture
def on_a_quiet_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(command, "interpreter", lambda: tmp_path)
    monkeypatch.setattr(
        command,
        "about",
        lambda *_: {"python": "3", "versions": {}, "machine": "m", "load": [0.0], "runs": 3},
    )
    made = [packages.Package(name, (tmp_path,), 1) for name in MEASURED]
    monkeypatch.setattr(command, "all_packages", lambda *_: made)


@pytest.mark.usefixtures("on_a_quiet_machine")
@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_the_exit_status_tells_a_missed_budget(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    monkeypatch.setattr(command, "measure", lambda *_: MEASURED)
    assert command.main(arguments) == 0
    monkeypatch.setattr(command, "measure", lambda *_: with_ours("cold", 1.0, 1.0, 1.0))
    assert command.main(arguments) == 1
    assert "cold start" in capsys.readouterr().out


def test_where_there_is_no_python_of_the_runtime_a_sentence_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(packages, "find_interpreter", lambda *_: None)
    assert command.main([]) == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert "This needs Python 3.13, the function's runtime" in written.err
    assert "uv python install 3.13" in written.err


def test_what_fails_beside_a_package_is_shown(tmp_path: Path) -> None:
    (tmp_path / "lambda_function.py").write_text("raise RuntimeError('not today')\n")
    broken = packages.Package("broken", (tmp_path,), 1)
    with pytest.raises(ToolchainError, match=r"broken failed:(.|\n)*not today"):
        broken.run(packages.interpreter(), "http://127.0.0.1:9", "answers")
