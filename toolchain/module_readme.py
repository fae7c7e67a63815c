"""The tables of inputs and outputs in each module's README, made from its variables and outputs.

What stands outside the two markers is written by hand and left alone. Run in the locked
environment: `python -m toolchain.module_readme` checks, with `--write` it writes.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hcl2

from project.console import ToolchainError
from project.paths import TREE

BEGIN = "<!-- inputs and outputs: written by `make fmt` -->"
END = "<!-- end of inputs and outputs -->"
MAX_DEFAULT = 40


@dataclass(frozen=True, slots=True)
class Input:
    """A variable of a module; `default` is None where the module can't do without a value."""

    name: str
    type: str
    description: str
    default: str | None


@dataclass(frozen=True, slots=True)
class Output:
    """An output of a module."""

    name: str
    description: str


def stale(modules: Path) -> list[Path]:
    """List the READMEs whose tables are not those of their module.

    Raises ToolchainError when a module has no README, or none with the two markers.
    """
    return [readme for readme, text in _rendered(modules) if readme.read_text("utf-8") != text]


def write(modules: Path) -> None:
    """Bring every README up to date; raises ToolchainError as `stale` does."""
    for readme, text in _rendered(modules):
        readme.write_text(text, "utf-8")


def tables(inputs: list[Input], outputs: list[Output]) -> str:
    """Render both tables as Markdown, inputs that must be given first."""
    ordered = sorted(inputs, key=lambda each: each.default is not None)
    lines = [
        "## Inputs\n",
        "| Name | Type | Default | What it is |",
        "| --- | --- | --- | --- |",
        *(f"| `{i.name}` | {i.type} | {_default(i)} | {_cell(i.description)} |" for i in ordered),
        "\n## Outputs\n",
        "| Name | What it is |",
        "| --- | --- |",
        *(f"| `{output.name}` | {_cell(output.description)} |" for output in outputs),
    ]
    return "\n".join(lines)


def read_inputs(source: str) -> list[Input]:
    """Read the variables of a module out of its HCL, in their order."""
    return [
        Input(
            name=name,
            type=_type(str(body.get("type", "any"))),
            description=_text(body.get("description", "")),
            default=_literal(body["default"]) if "default" in body else None,
        )
        for name, body in _blocks(source, "variable")
    ]


def read_outputs(source: str) -> list[Output]:
    """Read the outputs of a module out of its HCL, in their order."""
    return [
        Output(name, _text(body.get("description", ""))) for name, body in _blocks(source, "output")
    ]


def _rendered(modules: Path) -> Iterator[tuple[Path, str]]:
    for module in sorted(path.parent for path in modules.glob("*/main.tf")):
        readme = module / "README.md"
        written = readme.read_text("utf-8") if readme.is_file() else ""
        before, begin, rest = written.partition(BEGIN)
        _, end, after = rest.partition(END)
        if not begin or not end:
            raise ToolchainError(f"{readme} is missing, or lacks the lines\n{BEGIN}\n{END}")
        inputs = read_inputs((module / "variables.tf").read_text("utf-8"))
        outputs = read_outputs((module / "outputs.tf").read_text("utf-8"))
        yield readme, f"{before}{BEGIN}\n{tables(inputs, outputs)}\n{END}{after}"


def _blocks(source: str, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for block in hcl2.loads(source).get(kind, []):
        for name, body in block.items():
            yield _text(name), body


def _text(value: object) -> str:
    # The parser keeps the quotes of a string, and nothing else of its spelling.
    return (
        str(json.loads(value)) if isinstance(value, str) and value.startswith('"') else str(value)
    )


def _type(written: str) -> str:
    """Give a type in one word: the members of an object are the description's to say."""
    plain = _text(re.sub(r"^\$\{(.*)\}$", r"\1", written, flags=re.DOTALL))
    return re.sub(r"object\(\{.*\}\)", "object", re.sub(r"\s+", " ", plain))


def _literal(value: object) -> str:
    if isinstance(value, str):
        return re.sub(r"^\$\{(.*)\}$", r"\1", value, flags=re.DOTALL)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_literal(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return json.dumps(value)


def _default(each: Input) -> str:
    if each.default is None:
        return "required"
    return f"`{each.default}`" if len(each.default) <= MAX_DEFAULT else "see variables.tf"


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").replace("<", "\\<").strip()


def main(arguments: list[str]) -> str | int:
    """Check or write; what is wrong, in words, or 0."""
    modules = TREE.root / "modules"
    try:
        if "--write" in arguments:
            write(modules)
        found = [str(readme.relative_to(TREE.root)) for readme in stale(modules)]
    except ToolchainError as error:
        return str(error)
    return f"Not current: {', '.join(found)}. `make fmt` writes them." if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
