"""What the package carries of botocore: its code, and the data that a client of DynamoDB reads.

A client that is made from all of botocore's data looks through the folders of all services, and
parses every service's endpoints and its own service's documentation: a fifth of a cold start. The
generator of documentation, which writes the clients' docstrings, is another twentieth to import.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SERVICE, API_VERSION = "dynamodb", "2012-08-10"

_DATA = "botocore/data/"
_ENDPOINTS = f"{_DATA}endpoints.json"
# Of no service alone: partitions, retries, defaults.
_SHARED = re.compile(rf"{_DATA}[^/]+\.json")
_OF_THE_SERVICE = f"{_DATA}{SERVICE}/{API_VERSION}/"
_MODEL = f"{_OF_THE_SERVICE}service-2.json"
# What only botocore's documentation shows.
_EXAMPLES = f"{_OF_THE_SERVICE}examples-1.json"

# Written into the package; it runs there, on the runtime's Python.
_NO_DOCSTRING = Path(__file__).with_name("no_docstring.py")
# What a package is made by: another one is made where these differ.
SOURCES = (Path(__file__), _NO_DOCSTRING)

_DOCS = "botocore/docs/"
# What botocore's handlers import of it, and what stands in for the rest: methods have no docstring.
_DOCS_KEPT = f"{_DOCS}utils.py"
_STANDS_IN = {
    f"{_DOCS}__init__.py": b"",
    f"{_DOCS}docstring.py": _NO_DOCSTRING.read_bytes(),
}


def reduced(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Reduce botocore among a package's files, by name; the other files stay as they are."""
    kept = {name: content for name, content in files.items() if _is_kept(name)}
    if _ENDPOINTS in kept:
        kept[_ENDPOINTS] = _written(of_service(json.loads(kept[_ENDPOINTS])))
    packed = kept.pop(f"{_MODEL}.gz", None)
    if packed is not None:
        # Not packed again: the zip does that, and botocore takes either.
        kept[_MODEL] = _written(without_documentation(json.loads(gzip.decompress(packed))))
    return kept | (_STANDS_IN if _DOCS_KEPT in kept else {})


def _is_kept(name: str) -> bool:
    if name.startswith(_DOCS):
        return name == _DOCS_KEPT
    if not name.startswith(_DATA):
        return True
    if _SHARED.fullmatch(name):
        return True
    return name.startswith(_OF_THE_SERVICE) and name != _EXAMPLES


def of_service(endpoints: dict[str, Any]) -> dict[str, Any]:
    """Keep of every partition what it says of the service; Regions and defaults stay."""
    return endpoints | {
        "partitions": [
            partition
            | {
                "services": {
                    name: service
                    for name, service in partition["services"].items()
                    if name == SERVICE
                }
            }
            for partition in endpoints["partitions"]
        ]
    }


def without_documentation(model: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Drop the documentation from a service's model: every text of that name."""
    if isinstance(model, list):
        return [without_documentation(value) for value in model]
    if not isinstance(model, dict):
        return model
    return {
        name: without_documentation(value)
        for name, value in model.items()
        if not (name == "documentation" and isinstance(value, str))
    }


def _written(document: Any) -> bytes:  # noqa: ANN401 - any JSON value
    return json.dumps(document, separators=(",", ":")).encode()
