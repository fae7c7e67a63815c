"""The three accounts, rendered once by the real terragrunt."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.live.trees import ACCOUNTS, Tree, Unit, copy_tree


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return copy_tree(tmp_path / "clone")


@pytest.fixture(scope="session")
def units(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Unit]:
    pristine = copy_tree(tmp_path_factory.mktemp("live") / "clone")
    with ThreadPoolExecutor() as pool:
        accounts = pool.map(pristine.render, ACCOUNTS)
    return {path: unit for account in accounts for path, unit in account.items()}
