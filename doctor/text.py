"""What a person reads, and what a machine does."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from doctor.finding import Finding, Verdict, exit_status

MIN_WIDTH = 80
# Where nothing says how wide the page is.
WIDTH = 110
VERDICTS = max(len(verdict) for verdict in Verdict)


def table(findings: Sequence[Finding]) -> str:
    """Give a line a finding, with what to do below it, and the sum of them."""
    width = max(MIN_WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)
    subjects = max(len(finding.subject) for finding in findings)
    lines = [line for finding in findings for line in _lines(finding, subjects, width)]
    return "\n".join([*lines, "", _sum(findings)])


def _lines(finding: Finding, subjects: int, width: int) -> Iterator[str]:
    start = f"{finding.verdict:<{VERDICTS}}  {finding.subject:<{subjects}}  "
    yield from textwrap.wrap(
        finding.found,
        width,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )
    if finding.do:
        # Never wrapped: a command is there to be copied.
        yield f"{' ' * VERDICTS}  → {finding.do}"


def _sum(findings: Sequence[Finding]) -> str:
    counted = Counter(finding.verdict for finding in findings)
    return ", ".join(f"{counted[verdict]} {verdict}" for verdict in Verdict)


def document(account: str, findings: Sequence[Finding]) -> str:
    """Give the same as JSON, with the exit status."""
    listed = [asdict(finding) for finding in findings]
    answer = {"account": account, "exit_status": exit_status(findings), "findings": listed}
    return json.dumps(answer, indent=2, ensure_ascii=False)
