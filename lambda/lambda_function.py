"""The users' function: its entry point. Everything is made once here, at init."""

from __future__ import annotations

import os
from typing import Any

from items import observability
from items.logic import Items
from items.routes import ItemsApi
from items.settings import Settings
from items.table import Table, request_client

settings = Settings.from_environment(os.environ)
api = ItemsApi(
    settings=settings,
    items=Items(
        Table(request_client(settings.region), settings.table_name),
        settings.region,
        settings.max_items_per_owner,
    ),
    observe=observability.Observer(settings),
)


@observability.traced
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one API Gateway proxy event (REST API, payload 1.0)."""
    return api.handle(event, context)
