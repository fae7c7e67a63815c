"""The health function: its entry point. Everything is made once here, at init.

A function of its own: what users ask for, and as much of it as they may, takes nothing away from
what Route 53 asks.
"""

from __future__ import annotations

import gc

# As in the users' function.
gc.disable()

import os
from typing import Any

from items.health import Probe
from items.health_routes import HealthApi
from items.observability import Observer
from items.settings import FunctionSettings
from items.table import probe_client

settings = FunctionSettings.from_environment(os.environ)
api = HealthApi(
    settings=settings,
    probe=Probe(probe_client(settings.region), settings.table_name, settings.region),
    observe=Observer(settings),
)
gc.freeze()
gc.enable()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one API Gateway proxy event (REST API, payload 1.0)."""
    return api.handle(event, context)
