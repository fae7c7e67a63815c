"""What is known is told apart from what nobody could look up."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from project.paths import TREE, Tree
from toolchain import lock_dependencies, vulnerabilities
from toolchain.vulnerabilities import Verdict, read_govulncheck, read_pip_audit, status

# As pip-audit 2.10 writes it.
FOUND = {
    "dependencies": [
        {"name": "jinja2", "version": "2.4.1", "vulns": [
            {"id": "PYSEC-2014-8", "fix_versions": ["2.7.2"], "aliases": [], "description": "…"},
            {"id": "PYSEC-2014-82", "fix_versions": [], "aliases": [], "description": "…"},
        ]},
        {"name": "moto", "version": "5.1.0", "vulns": []},
        {"name": "local", "skip_reason": "not on the index"},
    ],
    "fixes": [],
}  # fmt: skip


def test_every_lock_is_looked_up_and_where_nothing_is_known_the_status_is_0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def pip_audit(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
        lock = command[command.index("--requirement") + 1]
        asked.append(lock)
        # As pip-audit ends for a file that isn't there.
        there = (folder / lock).is_file()
        return subprocess.CompletedProcess(
            command, 0 if there else 1, '{"dependencies": []}' if there else "", "invalid input"
        )

    monkeypatch.setattr(vulnerabilities, "_run", pip_audit)
    verdicts = list(vulnerabilities._python(TREE))

    assert set(asked) == {job[-1] for job in lock_dependencies.JOBS}
    assert verdicts == [Verdict(lock) for lock in asked]
    assert status(verdicts) == 0
    # A lock that isn't there is none that nothing is known of.
    assert all(verdict.failure for verdict in vulnerabilities._python(Tree(tmp_path)))


def test_what_pip_audit_found_is_told_with_what_puts_it_right() -> None:
    verdict = read_pip_audit("requirements.lock", json.dumps(FOUND), "Found 2 known …")
    assert verdict.known == (
        "jinja2 2.4.1: PYSEC-2014-8, put right in 2.7.2",
        "jinja2 2.4.1: PYSEC-2014-82, put right in no version yet",
    )
    assert not verdict.failure


def test_a_pip_audit_that_reaches_nobody_has_found_nothing_either() -> None:
    """It ends with 1 both for that and for what it found."""
    verdict = read_pip_audit("requirements.lock", "", "Traceback …\nConnectionError: api.osv.dev")
    assert verdict == Verdict(
        "requirements.lock", failure="could not look: ConnectionError: api.osv.dev"
    )


def test_govulnchecks_statuses_are_told_apart() -> None:
    assert read_govulncheck("terragrunt", 0, "No vulnerabilities found.", "") == Verdict(
        "terragrunt"
    )
    assert read_govulncheck("terragrunt", 3, "GO-2026-1\n", "").known == ("GO-2026-1",)
    assert read_govulncheck("terragrunt", 1, "", "no such host").failure


def test_what_is_known_counts_before_what_could_not_be_looked_up() -> None:
    clean, known, blind = Verdict("a"), Verdict("b", known=("x",)), Verdict("c", failure="no way")
    assert status([clean]) == 0
    assert status([clean, blind]) == 2
    assert status([blind, known]) == 1
