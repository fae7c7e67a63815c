"""The account and the Region that are being served: ministack keeps its state by them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ministack.core.responses import (
    AccountRegionScopedDict,
    get_account_id,
    get_region,
    request_scope,
)

Scope = tuple[str, str]


def here() -> Scope:
    """The account and the Region of the request that is being answered."""
    return get_account_id(), get_region()


@contextmanager
def within(scope: Scope) -> Iterator[None]:
    """While open, this account and Region are served."""
    with request_scope(*scope):
        yield


def scoped_dict() -> Any:  # noqa: ANN401 - ministack's, which has no types
    """A dict that has other entries in every account and Region, and is saved with them."""
    return AccountRegionScopedDict()
