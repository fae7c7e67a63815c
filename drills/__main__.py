"""`python -m drills`: rehearse losing a Region, read what it showed, or move users for real."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from drills import pause, takeover
from drills.confirmation import require_confirmation
from drills.experiment import Experiment
from drills.experiments import DEFAULT, EXPERIMENTS
from drills.report import files
from drills.report.document import build
from drills.rollback_log import roll_back_leftovers
from drills.run import run
from drills.steady_state import await_steady_state
from drills.system import System
from drills.targets import Targets, read_targets
from project import resolver
from project.access import require_running
from project.account import LOCAL, Account, read_account
from project.console import ToolchainError, files_explained, on_termination, say
from project.deployment import read_deployment
from project.environment import https_port
from project.file_lock import exclusive
from project.paths import TREE

PASSED, MISSED, COULD_NOT_RUN, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str]) -> int:
    """Run one command; 0 target met, 1 target missed, 2 could not run, 130 interrupted."""
    parsed = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, on_termination)
    try:
        account = read_account(TREE, os.environ.get("ACCOUNT") or LOCAL)
        with files_explained(), resolver.for_account(account.name):
            return _run(parsed, account)
    except ToolchainError as error:
        say(f"\n{error}")
        return COULD_NOT_RUN
    except KeyboardInterrupt:
        say(f"\n{_INTERRUPTION[parsed.command in SWITCHES]}")
        return INTERRUPTED


SWITCHES = {
    "takeover": takeover.takeover,
    "failback": takeover.failback,
    "pause-writes": pause.pause_writes,
    "resume-writes": pause.resume_writes,
}
_INTERRUPTION = {
    True: (
        "Stopped where it was: the switch stays as it is, and a hand-over that it names comes by "
        "itself. The same command again goes on from there; `make failback` ends a takeover, "
        "`make resume-writes` a pause. `make doctor` says who may write."
    ),
    False: "Interrupted. What was broken is healed, and the drill's users are gone.",
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m drills", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("run", help="run one experiment")
    one.add_argument("name", nargs="?", default=DEFAULT, choices=EXPERIMENTS, metavar="NAME")
    commands.add_parser("all", help="run every experiment that the account can have, one by one")
    commands.add_parser("list", help="every experiment, and what it proves")
    commands.add_parser("report", help="the last report, in short")
    commands.add_parser("takeover", help="make the standby serve, for real, and watch")
    commands.add_parser("failback", help="let the primary serve again, and watch")
    commands.add_parser("pause-writes", help="let no Region write; reads go on")
    commands.add_parser("resume-writes", help="end that")
    return parser


def _run(parsed: argparse.Namespace, account: Account) -> int:
    match parsed.command:
        case "list":
            print(_listed(account))
        case "report":
            print(files.last(account.name))
        case "run":
            require_running(TREE, account)
            return _drill([EXPERIMENTS[parsed.name]], account)
        case "all":
            require_running(TREE, account)
            return _drill(_all(account, read_targets(TREE, account.name)), account)
        case command:
            require_running(TREE, account)
            port = f":{https_port()}" if account.name == LOCAL else ""
            patience = read_targets(TREE, account.name).patience_seconds
            return SWITCHES[command](takeover.Names(account, port, patience))
    return PASSED


def _offered(experiment: Experiment, account: Account) -> bool:
    return not _obstacle(experiment, account)


def _obstacle(experiment: Experiment, account: Account) -> str:
    """Why the account can't have the experiment; empty where it can."""
    return experiment.not_on_emulator if account.name == LOCAL else experiment.not_on_accounts


def _all(account: Account, targets: Targets) -> list[Experiment]:
    """Every experiment that the account can have as it is set up."""
    return [
        each
        for each in EXPERIMENTS.values()
        if _offered(each, account) and (targets.fis_role_arn or not each.needs_fis)
    ]


def _listed(account: Account) -> str:
    lines = []
    for experiment in EXPERIMENTS.values():
        lines.append(f"{experiment.name:<17} {experiment.proves}")
        if not _offered(experiment, account):
            lines.append(f"{'':<17} Not in {account.name}: {_obstacle(experiment, account)}")
    return "\n".join(lines)


def _drill(experiments: Sequence[Experiment], account: Account) -> int:
    for experiment in experiments:
        if not _offered(experiment, account):
            where = "real accounts" if account.name == LOCAL else "the embedded AWS"
            raise ToolchainError(
                f"{experiment.name} runs on {where} alone. {_obstacle(experiment, account)}"
            )
    targets = read_targets(TREE, account.name)
    require_confirmation(account.name, targets, experiments)
    work = f"drill of {account.name}"
    with exclusive(TREE.lock(f"drill-{account.name}"), work, wait=False):
        system = System(account, read_deployment(account.name), targets)
        roll_back_leftovers(system)
        return max(_one(experiment, system) for experiment in experiments)


def _one(experiment: Experiment, system: System) -> int:
    say(f"{experiment.name}: {experiment.hypothesis}")
    await_steady_state(system)
    began = datetime.now(UTC)
    folder = files.new_folder(began, experiment.name)
    report = build(experiment, system, run(experiment, system, folder), began)
    page = files.write(folder, report)
    print(files.read(folder))
    say(f"\n{TREE.shown(page)}")
    return PASSED if report["passed"] else MISSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
