"""How Terragrunt is run, with one in its place that only writes what it is told to."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from drift import units
from drift.finding import Verdict
from drift.look import look
from drift.queue import plan_all, private
from drift.units import Units, units_of
from project.paths import TREE, Tree
from tests.drift.plans import plan, resource, untouched
from tests.support.waiting import eventually

GROUP = {"name": "a", "retention_in_days": 7}
FUNCTION = "aws_lambda_function.this"
# Writes what it was asked, then plans, the report and words out of files; then sleeps if told to.
TERRAGRUNT = """\
#!{python} -S
import json, os, subprocess, sys
from pathlib import Path
told = Path({told!r})
with open(told / "asked", "a") as asked:
    print(json.dumps({{"arguments": sys.argv[1:], "environment": dict(os.environ)}}), file=asked)
if "schema" in sys.argv:
    sys.exit(print((told / "schemas").read_text()))
flags = dict(zip(sys.argv, sys.argv[1:]))
for unit, text in json.loads((told / "plans").read_text()).items():
    folder = Path(flags["--json-out-dir"]) / unit
    folder.mkdir(parents=True)
    (folder / "tfplan.json").write_text(text)
print((told / "words").read_text(), file=sys.stderr, flush=True)
if (told / "report").exists():
    Path(flags["--report-file"]).write_text((told / "report").read_text())
if (told / "sleeps").exists():
    provider = subprocess.Popen(["sleep", "600"])
    (told / "sleeping").touch()
    provider.wait()
sys.exit(1)
"""


class Stub:
    """A Terragrunt in a tree of its own, and what it is to do."""

    def __init__(self, root: Path) -> None:
        self.told = root / "told"
        self.tree = Tree(root / "tree")
        for unit in ("global/data", "a/api"):
            self.tree.account("local").joinpath(unit).mkdir(parents=True)
        self.told.mkdir()
        self.tree.tools_bin.mkdir(parents=True)
        program = self.tree.tools_bin / "terragrunt"
        program.write_text(TERRAGRUNT.format(python=sys.executable, told=str(self.told)))
        program.chmod(0o755)
        self.says()

    def says(self, *words: dict[str, str] | str, report: Any = None, **plans: Any) -> None:
        """Set what it says, line by line, its report, and plans: global_data is global/data's."""
        lines = (word if isinstance(word, str) else json.dumps(word) for word in words)
        (self.told / "words").write_text("\n".join(lines))
        texts = {unit.replace("_", "/"): json.dumps(each) for unit, each in plans.items()}
        (self.told / "plans").write_text(json.dumps(texts))
        if report is not None:
            (self.told / "report").write_text(json.dumps(report))

    def asked(self) -> list[dict[str, Any]]:
        """What it was asked: arguments and environment."""
        return [json.loads(line) for line in (self.told / "asked").read_text().splitlines()]

    def reasons(self, *names: str) -> dict[str, tuple[str, ...]]:
        """Run it over units; why there is no plan."""
        with private(self.tree) as folder:
            return plan_all(self.tree, "local", names, folder).reasons


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stub:
    monkeypatch.delenv("LOCAL_STATE_DIR", raising=False)
    return Stub(tmp_path)


def test_it_plans_without_a_lock_and_never_by_flags_of_the_shells(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CLI_ARGS_plan", "-refresh=false")
    monkeypatch.setenv("TF_CLI_ARGS", "-target=aws_x.y")
    monkeypatch.setenv("TF_VAR_x", "kept")
    stub.reasons("global/data")

    (asked,) = stub.asked()
    arguments = asked["arguments"]
    assert arguments[arguments.index("--") :] == ["--", "plan", "-lock=false", "-input=false"]
    # With a folder for plans a unit takes no mock: tests/live/test_commands.py.
    assert {"run", "--all", "--out-dir", "--json-out-dir", "--non-interactive"} < {*arguments}
    names = asked["environment"].keys()
    assert [name for name in names if name.startswith("TF_CLI_ARGS")] == []
    assert "TF_VAR_x" in names


def test_plans_are_for_their_owner_alone_and_go_in_the_end(stub: Stub) -> None:
    with private(stub.tree) as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
        (folder / "tfplan.json").touch()
    assert not (stub.tree.local_state / "drift").exists()


def test_what_a_killed_run_has_left_goes_with_the_next(stub: Stub) -> None:
    left = stub.tree.local_state / "drift" / "killed"
    left.mkdir(parents=True)
    with private(stub.tree):
        pass
    assert not left.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_leaves_neither_plans_nor_processes(
    stub: Stub, number: signal.Signals
) -> None:
    stub.says(global_data=plan())
    (stub.told / "sleeps").touch()
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "import drift.__main__ as command\n"
        "from drift.units import Units\n"
        "from project.account import Account\n"
        "from project.paths import Tree\n"
        "command.TREE = Tree(Path(sys.argv[1]))\n"
        "command.read_account = lambda tree, name: Account(name, *'pidrst')\n"
        "command.require_running = lambda tree, account: None\n"
        "command.units_of = lambda tree, name: Units(('global/data',), ())\n"
        "sys.exit(command.main([]))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(stub.tree.root)], cwd=TREE.root
    ) as running:
        eventually((stub.told / "sleeping").exists, bool, 30)
        begun = psutil.Process(running.pid).children(recursive=True)
        assert len(begun) == 2
        running.send_signal(number)
        assert running.wait(30) == 130
    assert not (stub.tree.local_state / "drift").exists()
    assert psutil.wait_procs(begun, timeout=10)[1] == []


FAILED = {
    "Name": "global/edge",
    "Result": "failed",
    "Reason": "run error",
    "Cause": 'error occurred:\n\n* Failed to execute "terraform plan -out=x" in ./global/edge\n  \n'
    "  Error: Unsupported state file format\n  \n  The state file could not be parsed as JSON: "
    "syntax error at byte offset 16.\n  \n  exit status 1\n",
}


def test_a_unit_without_a_plan_has_the_first_lines_of_why(stub: Stub) -> None:
    succeeded = {"Name": "global/data", "Result": "succeeded"}
    stub.says(report=[succeeded, FAILED], global_data=plan())
    assert stub.reasons("global/data", "global/edge") == {
        "global/edge": (
            "Error: Unsupported state file format",
            "The state file could not be parsed as JSON: syntax error at byte offset 16.",
        )
    }


def test_a_unit_whose_dependency_has_no_outputs_says_so(stub: Stub) -> None:
    # As v1.1.3 has it: the report gives no cause then.
    live = "/clone/live/local"
    says = (
        f'resolving dependency "data" outputs: {live}/global/data/terragrunt.hcl is a dependency '
        f"of {live}/us-east-1/api/terragrunt.hcl but detected no outputs."
    )
    message = f"2 errors occurred:\n\n* some error in {live}/us-west-2/api/x\n\n* {says}\n"
    failed = {"Name": "us-east-1/api", "Result": "failed", "Reason": "run error"}
    stub.says({"level": "error", "msg": message}, report=[failed])
    assert stub.reasons("us-east-1/api") == {"us-east-1/api": (f"* {says}".removeprefix("* "),)}


def test_a_refused_account_has_the_refusal(stub: Stub) -> None:
    refusal = "live/dev/account.hcl still has the placeholder account id 111111111111."
    cause = 'Failed to execute "sh -c exit 2 # refused: the reason stands above" in ./global/data'
    stub.says(
        {"level": "info", "msg": "Executing hook: refusal"},
        refusal,
        {"level": "error", "msg": "2 errors occurred"},
        refusal,
        report=[{"Name": "global/data", "Result": "failed", "Cause": cause}],
    )
    assert stub.reasons("global/data") == {"global/data": (refusal,)}


def test_a_file_that_cannot_be_parsed_is_every_units_reason(stub: Stub) -> None:
    says = "/clone/live/local/account.hcl:8,9-10: Unclosed configuration block"
    stub.says({"level": "error", "msg": "Error: x"}, {"level": "error", "msg": says}, report=[])
    assert stub.reasons("global/data", "us-east-1/api") == {
        "global/data": (says,),
        "us-east-1/api": (says,),
    }


def test_a_unit_that_is_passed_by_without_a_word_could_not_be_looked_at(stub: Stub) -> None:
    stub.says(report=[])
    (reason,) = stub.reasons("global/data")["global/data"]
    assert "no plan of it" in reason


def test_units_are_judged_and_the_provider_is_asked_once(stub: Stub) -> None:
    before = {"ephemeral_storage": [{"size": 512}]}
    after = {"ephemeral_storage": [{"size": 1024}]}
    drifted = plan(untouched(FUNCTION, after), drift=(resource(FUNCTION, before, after),))
    stub.says(global_data=plan(), a_api=drifted, b_api=drifted, c_api=plan(errored=True))
    (stub.told / "schemas").write_text(Path(__file__).with_name("schemas.json").read_text())

    found = look(stub.tree, "local", Units(("global/data", "a/api", "b/api", "c/api", "d/api"), ()))

    assert [unit.verdict for unit in found] == [
        *(Verdict.IN_STEP, Verdict.BY_HAND, Verdict.BY_HAND),
        *(Verdict.COULD_NOT_LOOK, Verdict.COULD_NOT_LOOK),
    ]
    assert sum("schema" in each["arguments"] for each in stub.asked()) == 1


def test_a_unit_that_needs_schemas_which_cannot_be_had_could_not_be_looked_at(
    stub: Stub,
) -> None:
    before, after = {"version": "1"}, {"version": "2"}
    drifted = plan(untouched(FUNCTION, after), drift=(resource(FUNCTION, before, after),))
    stub.says(global_data=drifted, a_api=plan())

    found = look(stub.tree, "local", Units(("a/api", "global/data"), ()))

    assert [unit.verdict for unit in found] == [Verdict.IN_STEP, Verdict.COULD_NOT_LOOK]
    assert "schemas can't be read" in found[1].reason[0]


@pytest.mark.parametrize(("former", "aside"), [(None, ()), ("us-west-2", ("us-west-2/api",))])
def test_every_folder_with_a_unit_is_to_be_planned_but_for_a_former_standbys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, former: str | None, aside: tuple[str, ...]
) -> None:
    tree = Tree(tmp_path)
    for name in ("global/data", "us-west-2/api", "us-west-2/api/.terragrunt-cache/x/y"):
        folder = tree.account("prod") / name
        folder.mkdir(parents=True)
        (folder / "terragrunt.hcl").touch()
    monkeypatch.setattr(
        units, "read_settings", lambda _tree, _name: {"former_standby_region": former}
    )
    rest = tuple(name for name in ("global/data", "us-west-2/api") if name not in aside)
    assert units_of(tree, "prod") == Units(rest, aside)
