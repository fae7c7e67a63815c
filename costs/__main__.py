"""Print what a month costs: `python -m costs`; with `--write`, put it into the pages as well."""

from __future__ import annotations

import sys

from costs import page
from costs.arithmetic import read
from project.paths import TREE


def main(arguments: list[str]) -> int:
    """Print the tables; 1 when a page shows other figures."""
    estimate = read()
    print(f"A month with no users, in dollars\n{page.text(estimate.idle)}")
    print(f"{estimate.idle_dollars:>12,.2f}\n")
    print(f"A month of prod at a million daily users besides\n{page.text(estimate.busy)}")
    print(f"{estimate.busy_dollars:>12,.2f}  both\n")
    print(f"The same users in each tier of the pool\n{page.text(estimate.tiers)}")
    if "--write" in arguments:
        page.write(TREE.root, estimate)
    stale = page.stale(TREE.root, estimate)
    if stale:
        print(
            f"Other figures stand in {', '.join(stale)}: `python -m costs --write` puts them right."
        )
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
