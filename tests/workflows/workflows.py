"""The workflows as they are read by GitHub."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from project.paths import TREE

FOLDER = TREE.root / ".github" / "workflows"
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a job; `text` is what it runs, `settings` what its action is given."""

    workflow: str
    job: str
    uses: str
    text: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow's file."""

    path: Path
    document: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The file's name, without its ending."""
        return self.path.stem

    @property
    def triggers(self) -> Mapping[str, Any]:
        """What starts it. YAML 1.1 takes the word `on` for true."""
        on: Mapping[str, Any] = self.document[True]  # type: ignore[index]
        return on

    @property
    def jobs(self) -> Mapping[str, Any]:
        """Its jobs, by name."""
        jobs: Mapping[str, Any] = self.document["jobs"]
        return jobs

    def steps(self) -> Iterator[Step]:
        """Every step of every job."""
        for name, job in self.jobs.items():
            for step in job["steps"]:
                text, settings = step.get("run", ""), step.get("with", {})
                yield Step(self.name, name, step.get("uses", ""), text, settings)


def read_workflows() -> list[Workflow]:
    """Read them all, under either ending."""
    paths = sorted(FOLDER.glob("*.y*ml"))
    return [Workflow(path, yaml.safe_load(path.read_text())) for path in paths]


WORKFLOWS = {workflow.name: workflow for workflow in read_workflows()}
