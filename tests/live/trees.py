"""Copies of the live tree, and the real terragrunt run in them with no account at hand."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

REPOSITORY: Final = Path(__file__).resolve().parents[2]
ACCOUNTS: Final = ("local", "dev", "prod")
DECLARED: Final = re.compile(r'^variable "(?P<name>\w+)" \{\n(?P<body>.*?)^\}', re.M | re.S)
RESOURCE: Final = re.compile(r'^(?:resource|data) "(aws_\w+)"', re.M)
SETTING: Final = r'^(\s*{name}\s*= )("[^"]*"|\S+)'


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as terragrunt renders it; path is below live/, such as dev/global/data."""

    path: str
    rendered: Mapping[str, Any]

    @property
    def account(self) -> str:
        """The account's folder."""
        return self.path.split("/")[0]

    @property
    def area(self) -> str:
        """global, or the Region's folder."""
        return self.path.split("/")[1]

    @property
    def module(self) -> str:
        """The module that it deploys."""
        return self.path.split("/")[2]

    @property
    def inputs(self) -> Mapping[str, Any]:
        """What the module is given."""
        inputs: Mapping[str, Any] = self.rendered["inputs"]
        return inputs

    @property
    def dependencies(self) -> Mapping[str, Any]:
        """The dependency blocks, by name."""
        blocks: Mapping[str, Any] = self.rendered["dependency"] or {}
        return blocks

    @property
    def waits_for(self) -> frozenset[str]:
        """The units before which it isn't applied, though it reads nothing of them."""
        paths = (self.rendered["dependencies"] or {}).get("paths") or []
        return frozenset("/".join(Path(path).parts[-3:]) for path in paths)

    @property
    def backend(self) -> Mapping[str, Any]:
        """The state's settings."""
        config: Mapping[str, Any] = self.rendered["remote_state"]["config"]
        return config

    def generated(self, name: str) -> str:
        """Give the text of a generated file."""
        text: str = self.rendered["generate"][name]["contents"]
        return text


@dataclass(frozen=True, slots=True)
class Tree:
    """A copy of everything that terragrunt reads."""

    root: Path

    def account(self, name: str) -> Path:
        """Give an account's folder."""
        return self.root / "live" / name

    def say(self, account: str, **settings: str) -> None:
        """Set values in an account.hcl, each as HCL writes it; defaults are overruled there."""
        file = self.account(account) / "account.hcl"
        text = file.read_text()
        for name, value in settings.items():
            text, count = re.subn(SETTING.format(name=name), rf"\g<1>{value}", text, flags=re.M)
            assert count <= 1, f"{file} has {count} lines for {name}"
            if not count:
                text = text.replace("locals {\n", f"locals {{\n  {name} = {value}\n", 1)
        file.write_text(text)

    def run(
        self, where: Path, *arguments: str, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run terragrunt in a folder, with nothing of the person's own AWS settings."""
        inherited = ("PATH", "TF_CLI_CONFIG_FILE", "TG_TF_PATH", "TMPDIR")
        return subprocess.run(
            [str(REPOSITORY / ".tools/bin/terragrunt"), *arguments],
            cwd=where,
            env={
                **{name: os.environ[name] for name in inherited if name in os.environ},
                "HOME": str(self.root / "home"),
                "AWS_EC2_METADATA_DISABLED": "true",
                "TG_NO_COLOR": "true",
                "TG_NON_INTERACTIVE": "true",
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def render(self, account: str, **environment: str) -> dict[str, Unit]:
        """Render every unit of an account, by its path below live/."""
        done = self.run(
            self.account(account), "render", "--all", "--json", "--write", **environment
        )
        assert done.returncode == 0, done.stderr
        live = self.root / "live"
        return {
            path: Unit(path, json.loads(file.read_text()))
            for file in sorted(self.account(account).rglob("terragrunt.rendered.json"))
            for path in [file.parent.relative_to(live).as_posix()]
        }


def copy_tree(root: Path) -> Tree:
    """Copy the tree to a folder that doesn't exist yet; no git, no state, no caches."""
    root.mkdir()
    (root / "home").mkdir()
    for name in ("terragrunt.hcl", ".terragrunt-filters"):
        shutil.copy(REPOSITORY / name, root)
    leave = shutil.ignore_patterns(".terraform*", ".terragrunt-cache", "*.rendered.json")
    for name in ("live", "modules"):
        shutil.copytree(REPOSITORY / name, root / name, ignore=leave)
    (root / "project").mkdir()
    for name in ("credentials", "emulator", "console"):
        shutil.copy(REPOSITORY / f"project/{name}.py", root / "project")
    (root / ".venv").symlink_to(REPOSITORY / ".venv")
    return Tree(root)


def declared(module: str) -> dict[str, bool]:
    """Give a module's variables; True where one has no default."""
    text = "\n".join(file.read_text() for file in (REPOSITORY / "modules" / module).glob("*.tf"))
    return {
        match["name"]: not re.search(r"^  default\s", match["body"], re.M)
        for match in DECLARED.finditer(text)
    }


def resource_types() -> set[str]:
    """Give every AWS resource and data source type that the modules use."""
    files = (REPOSITORY / "modules").glob("*/*.tf")
    return {name for file in files for name in RESOURCE.findall(file.read_text())}
