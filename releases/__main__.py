"""`python -m releases`: let a Region's newest versions serve, take that back, say what serves."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress

from project import resolver
from project.access import require_access, require_running
from project.account import LOCAL, Account, read_account
from project.console import ToolchainError, files_explained, on_termination, say
from project.paths import TREE
from releases import settings
from releases.ledger import mark_of
from releases.listing import listed
from releases.plan import Look
from releases.release import Release
from releases.rollback import Rollback, concerned
from releases.stack import AWS_ERRORS, Stack
from releases.story import Story
from releases.surroundings import Surroundings, who
from releases.versions import fingerprint

SERVES, DOES_NOT_SERVE, INTERRUPTED = 0, 1, 130


def main(arguments: Sequence[str]) -> int:
    """Run one command; 0 when what was asked for serves, 1 when it doesn't, 130 interrupted."""
    parsed = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, on_termination)
    try:
        with files_explained():
            return _run_on(parsed, read_account(TREE, os.environ.get("ACCOUNT") or LOCAL))
    except ToolchainError as error:
        say(f"\n{error}")
    except KeyboardInterrupt:
        say("\nInterrupted. What served before serves; the same command tries again.")
        return INTERRUPTED
    return DOES_NOT_SERVE


def _run_on(parsed: argparse.Namespace, account: Account) -> int:
    with resolver.for_account(account.name):
        require_running(TREE, account)
        try:
            return _run(parsed, account)
        except AWS_ERRORS as error:
            say(f"\n{error}\n{_WHAT_TO_CHECK.format(account=account)}")
            return DOES_NOT_SERVE


_WHAT_TO_CHECK = (
    "Check that your credentials are of account {account.account_id}, and may do what "
    'docs/deployment-guide.md lists ("Releases").'
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m releases", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    release = commands.add_parser("release", help="let a Region's newest versions serve")
    release.add_argument("--region", required=True)
    rollback = commands.add_parser("rollback", help="let the versions before serve again")
    rollback.add_argument("--region")
    rollback.add_argument("--version", type=int, help="the users' function's, of that Region")
    commands.add_parser("list", help="what serves where, and what was rolled back")
    return parser


def _run(parsed: argparse.Namespace, account: Account) -> int:
    around = Surroundings.of(account)
    match parsed.command:
        case "release":
            return _release(around, parsed.region)
        case "rollback":
            require_access(TREE, account)
            return _rollback(around, parsed.region, parsed.version)
        case _:
            return _list(around)


def _release(around: Surroundings, region: str) -> int:
    wanted = settings.read(TREE, around.account.name)
    release = Release(
        here=around.stack(region),
        there=around.stack(around.other(region)),
        around=around,
        settings=wanted,
        run=str(uuid.uuid4()),
        who=who(),
    )
    try:
        served = release.perform()
    except (ToolchainError, *AWS_ERRORS):
        _report(release.story, around.account, region, wanted)
        raise
    _report(release.story, around.account, region, wanted)
    return SERVES if served else DOES_NOT_SERVE


def _report(story: Story, account: Account, region: str, wanted: settings.Settings) -> None:
    """Write the report of a release that had something to move."""
    if story.target is None or story.target == story.before:
        return
    # Drawing takes a second to load, and most applies have nothing to draw.
    from releases.report import files  # noqa: PLC0415
    from releases.report.document import build  # noqa: PLC0415

    try:
        page = files.write(build(story, account.name, region, wanted.canary_percent))
    except OSError as error:
        # What serves serves.
        say(f"The report can't be written: {error}")
        return
    say(f"Report: {TREE.shown(page)}")


def _rollback(around: Surroundings, region: str | None, version: int | None) -> int:
    if version is not None and region is None:
        raise ToolchainError(
            "A version's number is its Region's own: say REGION= as well. `make releases` shows "
            "both."
        )
    rollbacks = {
        each: _rollback_of(around, each, version)
        for each in ([region] if region else around.regions)
    }
    missed = [each for each in _concerned(rollbacks) if not _rolled_back(each, rollbacks[each])]
    for each in missed:
        say(f"{each} was not rolled back.")
    return DOES_NOT_SERVE if missed else SERVES


def _rollback_of(around: Surroundings, region: str, version: int | None) -> Rollback:
    return Rollback(
        stack=around.stack(region),
        there=around.stack(around.other(region)),
        run=str(uuid.uuid4()),
        who=who(),
        tell=around.tell,
        wall=around.wall,
        version=version,
    )


def _concerned(rollbacks: Mapping[str, Rollback]) -> list[str]:
    """The Regions to roll back; one that can't be asked is tried, which says why it can't."""
    if len(rollbacks) == 1:
        return [*rollbacks]
    found = {}
    for region, rollback in rollbacks.items():
        with suppress(*AWS_ERRORS, ToolchainError):
            found[region] = rollback.leaving()
    named = concerned(found)
    for region in found.keys() - named:
        say(f"{region} serves something older: it is left so.")
    return [region for region in rollbacks if region in named or region not in found]


def _rolled_back(region: str, rollback: Rollback) -> bool:
    try:
        rollback.perform()
    except AWS_ERRORS as error:
        say(f"{region}: {error}")
        return False
    except ToolchainError as error:
        say(f"{error}")
        return False
    return True


def _list(around: Surroundings) -> int:
    stacks = {region: around.stack(region) for region in reversed(around.regions)}
    shown, unread = [], 0
    for region, role in zip(stacks, ("primary", "standby"), strict=True):
        try:
            shown.append(listed(region, role, _look(stacks, region), around.wall()))
        except AWS_ERRORS as error:
            unread += 1
            shown.append(f"{region} ({role})\n  can't be read: {error}")
    print("\n\n".join(shown))
    return DOES_NOT_SERVE if unread else SERVES


def _look(stacks: dict[str, Stack], region: str) -> Look:
    functions = stacks[region].functions
    newest = functions.newest()
    ledgers = [
        stacks[region].records.read(),
        *(stack.ledger(say) for each, stack in stacks.items() if each != region),
    ]
    name = fingerprint(functions.facts(newest))
    return Look(functions.aliases(), newest, name, ledgers[0], mark_of(name, ledgers))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
