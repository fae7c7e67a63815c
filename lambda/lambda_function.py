"""The users' function: its entry point. Everything is made once here, at init."""

from __future__ import annotations

import gc

# What init makes stays for good: a search for garbage in it finds none, now or in a request.
gc.disable()

import os
from typing import Any

from items import observability
from items.fence import Fence
from items.logic import Items
from items.routes import ItemsApi
from items.settings import Settings
from items.table import Table, request_client

settings = Settings.from_environment(os.environ)
table = Table(request_client(settings.region), settings.table_name)
api = ItemsApi(
    settings=settings,
    items=Items(table, settings.region, settings.max_items_per_owner),
    fence=Fence(
        lambda: table.switch(settings.standby_region), settings.region, settings.standby_region
    ),
    observe=observability.Observer(settings),
)
gc.freeze()
gc.enable()


@observability.traced
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one API Gateway proxy event (REST API, payload 1.0)."""
    return api.handle(event, context)
