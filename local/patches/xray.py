"""X-Ray, which ministack has none of: how an API of ours is served beside ministack's own."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Protocol

from ministack import app as ministack_app
from ministack.core import iam_actions, router

NAME = "xray"

Response = tuple[int, dict[str, Any], bytes]


class Service(Protocol):
    """What ministack calls of a service's module."""

    def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Awaitable[Response]:
        """Answer one call."""

    def get_state(self) -> dict[str, Any]:
        """What is kept over a restart."""

    def load_persisted_state(self, data: dict[str, Any]) -> None:
        """Take up what `get_state` gave."""

    def reset(self) -> None:
        """Forget everything."""


def serve(service: Service) -> None:
    """Serve X-Ray's API: the whole service is missing, and every call ends in S3's answer."""
    ministack_app.SERVICE_REGISTRY[NAME] = {"module": NAME}
    ministack_app._loaded_modules[NAME] = service
    ministack_app._state_map[NAME] = NAME
    ministack_app.SERVICE_HANDLERS[NAME] = service.handle_request
    router.SERVICE_PATTERNS[NAME] = {"credential_scope": NAME}
    # So that IAM is enforced: a role needs xray:PutTraceSegments here too.
    iam_actions.SERVICE_TO_IAM_NAMESPACE[NAME] = NAME
    iam_actions._BOTOCORE_SERVICE_MAP[NAME] = [NAME]
