"""One request at the edge, and what became of it at the origin."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from local.patches.cloudfront import ChosenOrigins
from local.records import OriginExchange


@dataclass(slots=True)
class Exchange:
    """A request: its `x-amz-cf-id`, the last attempt at an origin, and what a function chose."""

    request_id: str
    origin: OriginExchange | None = None
    chosen: ChosenOrigins | None = None


_current: contextvars.ContextVar[Exchange | None] = contextvars.ContextVar("exchange", default=None)


@contextmanager
def answering(request_id: str) -> Iterator[Exchange]:
    """While open, this request is the one being answered, on the threads it waits for as well."""
    exchange = Exchange(request_id)
    token = _current.set(exchange)
    try:
        yield exchange
    finally:
        _current.reset(token)


def request_id() -> str | None:
    """The `x-amz-cf-id` of the request being answered; None outside of one."""
    exchange = _current.get()
    return exchange.request_id if exchange else None


def choose(origins: ChosenOrigins) -> None:
    """Note what a function has chosen for the request being answered."""
    exchange = _current.get()
    if exchange:
        exchange.chosen = origins


def chosen() -> ChosenOrigins | None:
    """What a function has chosen for the request being answered; None where none ran."""
    exchange = _current.get()
    return exchange.chosen if exchange else None


def note_attempt(start: float, *, status: int | None = None, failure: str | None = None) -> None:
    """Note what became of the latest attempt at the origin, which ends now."""
    exchange = _current.get()
    if exchange:
        exchange.origin = OriginExchange(start, time.time(), status, failure)
