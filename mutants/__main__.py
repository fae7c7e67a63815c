"""`python -m mutants`: see `make help`."""

from __future__ import annotations

import argparse
import signal
import sys

from mutants.areas import Area, read_areas
from mutants.equivalents import read_equivalents
from mutants.python_mutants import try_area
from mutants.score import Trial, is_met, report
from mutants.terraform_mutants import try_edits
from project.console import ToolchainError, on_termination, say
from project.paths import TREE

COULD_NOT_RUN = 2
INTERRUPTED = 130


def main(arguments: list[str]) -> int:
    """Try mutants; 0 when every target is met, 1 when one is missed, 2 when it couldn't be done."""
    areas = read_areas(TREE.root)
    parsed = _parser(areas).parse_args(arguments)
    signal.signal(signal.SIGTERM, on_termination)
    chosen = [areas[parsed.where]] if parsed.where else list(areas.values())
    try:
        met = [_is_met(area, parsed.seed, parsed.count) for area in chosen]
    except ToolchainError as error:
        say(f"\n{error}")
        return COULD_NOT_RUN
    except KeyboardInterrupt:
        say("\nInterrupted. Nothing is left behind.")
        return INTERRUPTED
    return 0 if all(met) else 1


def _parser(areas: dict[str, Area]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mutants")
    parser.add_argument("--where", choices=areas, help="one area; all of them otherwise")
    parser.add_argument("--seed", type=int, default=1, help="another sample for another number")
    parser.add_argument("--count", type=int, default=0, help="mutants to try of each area")
    return parser


def _is_met(area: Area, seed: int, most: int) -> bool:
    trials = _trials(area, seed, most or area.count)
    print("\n".join(report(area, trials)), flush=True)
    return is_met(area, trials)


def _trials(area: Area, seed: int, most: int) -> list[Trial]:
    if not area.files:
        return try_edits(TREE, seed, most)
    return try_area(TREE, area, seed, most, read_equivalents(TREE.root))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
