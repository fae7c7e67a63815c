"""A Terraform that only writes down what it was asked, so that Terragrunt can be watched."""

import json
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

SCRIPT: Final = """\
#!{python} -S
import json, os, re, sys
from pathlib import Path

def type_of(value):
    if isinstance(value, dict):
        return ["object", {{name: type_of(each) for name, each in value.items()}}]
    return "bool" if isinstance(value, bool) else "string"

arguments = sys.argv[1:]
if arguments in (["-version"], ["version"]):
    sys.exit(print("Terraform v1.11.4"))
backend = Path("backend.tf").read_text() if Path("backend.tf").exists() else ""
unit = re.search(r"(local|dev|prod)/([a-z0-9-]+/[a-z]+)/terraform.tfstate", backend)
given = {{k[7:]: v for k, v in os.environ.items() if k.startswith("TF_VAR_")}}
call = {{"unit": unit[2] if unit else "", "arguments": arguments, "inputs": given}}
with open({asked!r}, "a") as asked:
    print(json.dumps(call), file=asked)
if arguments[:1] == ["output"]:
    outputs = json.loads(Path({outputs!r}).read_text()).get(call["unit"], {{}})
    typed = {{k: {{"value": v, "type": type_of(v)}} for k, v in outputs.items()}}
    print(json.dumps(typed))
"""


@dataclass(frozen=True, slots=True)
class StubTerraform:
    """Where it lies, and what each unit's outputs are."""

    folder: Path

    @property
    def program(self) -> Path:
        """What Terragrunt takes for Terraform."""
        return self.folder / "terraform"

    def calls(self, command: str) -> list[dict[str, Any]]:
        """What it was asked for by a command: unit, arguments and inputs, in order."""
        file = self.folder / "asked"
        lines = file.read_text().splitlines() if file.exists() else []
        return [call for call in map(json.loads, lines) if call["arguments"][:1] == [command]]

    def asked(self, command: str) -> list[str]:
        """Which units a command was asked for, in order."""
        return [call["unit"] for call in self.calls(command)]


def stub_terraform(folder: Path, outputs: Mapping[str, Mapping[str, Any]]) -> StubTerraform:
    """Write the program; outputs are by unit, such as global/data."""
    folder.mkdir()
    stub = StubTerraform(folder)
    (folder / "outputs.json").write_text(json.dumps(outputs))
    stub.program.write_text(
        SCRIPT.format(
            python=sys.executable,
            asked=str(folder / "asked"),
            outputs=str(folder / "outputs.json"),
        )
    )
    stub.program.chmod(stub.program.stat().st_mode | stat.S_IXUSR)
    return stub
