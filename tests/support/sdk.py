"""Everything in an environment that an AWS SDK takes an account or an endpoint from."""

from __future__ import annotations

import gzip
import re
from functools import cache
from pathlib import Path

import botocore

# As botocore's sources write a variable's name.
NAME = re.compile(r"""["']((?:AWS|BOTO)_[A-Z0-9_]+)["']""")
SERVICE_ID = re.compile(r'"serviceId"\s*:\s*"([^"]+)"')
# On PYTHONPATH, it notes names that are looked up in the file that LOOKUPS names.
LOOKUPS = Path(__file__).parent / "lookups"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


@cache
def endpoint_variables() -> tuple[str, ...]:
    """Name the variable of every service's endpoint, as botocore makes it of the service's id.

    See docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html.
    """
    models = Path(botocore.__file__).parent.glob("data/*/*/service-2.json.gz")
    ids = {_service_id(model) for model in models}
    return tuple(f"AWS_ENDPOINT_URL_{re.sub('[ -]', '_', each).upper()}" for each in sorted(ids))


def _service_id(model: Path) -> str:
    # It stands among the first lines of megabytes.
    with gzip.open(model, "rt") as text:
        found = SERVICE_ID.search(text.read(5000))
    assert found, model
    return found[1]


@cache
def other_variables() -> tuple[str, ...]:
    """Name every other variable that botocore reads."""
    sources = Path(botocore.__file__).parent.glob("*.py")
    return tuple(sorted({name for file in sources for name in NAME.findall(file.read_text())}))


def hostile_variables(url: str, **more: str) -> dict[str, str]:
    """Set every one of them, and every proxy, so that whoever reads one asks `url`."""
    variables = dict.fromkeys((*endpoint_variables(), *other_variables(), *PROXIES), url)
    on = (
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "AWS_USE_FIPS_ENDPOINT",
        "AWS_USE_DUALSTACK_ENDPOINT",
        "AWS_CSM_ENABLED",
    )
    modes = {"AWS_DEFAULTS_MODE": "auto", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "ipv4"}
    return {
        **variables,
        **dict.fromkeys(on, "true"),
        **modes,
        "NO_PROXY": "",
        "no_proxy": "",
        **more,
    }
