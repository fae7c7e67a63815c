"""Where each Region is on this machine: a loopback address of its own.

Every Region registers the same `origin.<domain>`, and DNS alone decides which of them answers, so
the address must tell them apart. All of 127.0.0.0/8 is loopback on Linux, without any set-up.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from local.settings import LOOPBACK

_API_GATEWAY = re.compile(r"\.execute-api\.([a-z0-9-]+)\.amazonaws\.com\.$")
_AWS_DOMAINS = (".amazonaws.com.", ".cloudfront.net.")


def address(region: str) -> str:
    """A Region's address, the same wherever and whenever it is asked for."""
    high, low = hashlib.blake2b(region.encode(), digest_size=2).digest()
    return f"127.100.{high}.{low}"


def address_of_aws_name(name: str) -> Sequence[str]:
    """The addresses of an AWS resource's name (canonical, with its final dot).

    An API Gateway name is in its Region; CloudFront's, and whatever else is AWS's, at 127.0.0.1.
    """
    api = _API_GATEWAY.search(name)
    if api:
        return (address(api.group(1)),)
    return (LOOPBACK,) if name.endswith(_AWS_DOMAINS) else ()
