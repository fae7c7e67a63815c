"""What is known is told apart from what nobody could look up."""

from __future__ import annotations

import json

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
