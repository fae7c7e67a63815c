"""What can be seen of a failover from outside: health checks, DNS, and who serves."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.exception
import dns.message
import dns.query
import dns.rdatatype
import dns.resolver
import requests
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client

UNKNOWN = "unknown"
# Route 53 answers five requests a second for a whole account, and this is not the only one to ask.
HEALTH_SECONDS = 2.0
QUICK_SECONDS = 0.5
DNS_PORT = 53
# To connect, and for an answer; Route 53 itself waits 4 s and 2 s.
CHECKER_SECONDS = (4, 6)


@dataclass(frozen=True, slots=True)
class Watcher:
    """Something to look at every so many seconds; `look` never raises, it says what it sees."""

    subject: str
    seconds: float
    look: Callable[[], str]


@contextmanager
def following(
    watchers: Sequence[Watcher], changed: Callable[[Watcher, str], None]
) -> Iterator[None]:
    """While the block runs, tell every change of what each watcher sees, its first look first."""
    over = threading.Event()

    def follow(watcher: Watcher) -> None:
        before = None
        while not over.is_set():
            seen = watcher.look()
            if seen != before and not over.is_set():
                changed(watcher, seen)
                before = seen
            over.wait(watcher.seconds)

    threads = [threading.Thread(target=follow, args=(each,), daemon=True) for each in watchers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        # Not joined: one may be waiting for an answer that doesn't come.
        over.set()


def health_checks(client: Route53Client, names: Sequence[str]) -> list[Watcher]:
    """Watch the Regions' health checks, named by host and path, through Route 53's API.

    Only to show what happens: none when the API, which lives in us-east-1, can't be reached.
    """
    try:
        pages = client.get_paginator("list_health_checks").paginate()
        checks = [check for page in pages for check in page["HealthChecks"]]
    except (BotoCoreError, ClientError):
        return []
    return [
        Watcher(
            subject=f"health check of {config['FullyQualifiedDomainName']}{config['ResourcePath']}",
            seconds=HEALTH_SECONDS,
            look=lambda check_id=check["Id"]: _verdict(client, check_id),  # type: ignore[misc]
        )
        for check in checks
        if (config := check["HealthCheckConfig"]).get("FullyQualifiedDomainName") in names
    ]


def _verdict(client: Route53Client, check_id: str) -> str:
    try:
        answer = client.get_health_check_status(HealthCheckId=check_id)
    except (BotoCoreError, ClientError):
        return UNKNOWN
    reports = [seen["StatusReport"]["Status"] for seen in answer["HealthCheckObservations"]]
    good = sum(report.startswith("Success") for report in reports)
    # https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
    return "answers" if good > 0.18 * len(reports) else "does not answer"


def failover_record(domain: str, regions: Sequence[str]) -> Watcher:
    """Watch which Region the domain's own name servers name for its failover record."""
    origin, servers = f"origin.{domain}", servers_of(domain)

    def look() -> str:
        for server in servers:
            host, _, port = server.partition(":")
            question = dns.message.make_query(origin, dns.rdatatype.CNAME)
            try:
                answer = dns.query.udp(question, host, timeout=2, port=int(port or DNS_PORT))
            except (OSError, dns.exception.DNSException):
                continue
            text = " ".join(str(record) for records in answer.answer for record in records)
            return next((region for region in regions if region in text), UNKNOWN)
        return UNKNOWN

    return Watcher(f"DNS: {origin}", QUICK_SECONDS, look)


def servers_of(domain: str) -> list[str]:
    """Find who answers for a domain, as host or host:port; nobody when they can't be found.

    DNS_SERVER, which `make env` sets for the embedded AWS, goes first.
    """
    servers = os.environ.get("DNS_SERVER", "").split()
    if servers:
        return servers
    try:
        names = dns.resolver.resolve(domain, "NS")
        return [str(found) for name in names for found in dns.resolver.resolve(str(name.target))]
    except (OSError, dns.exception.DNSException):
        return []


def answers(url: str) -> bool:
    """Whether a URL answers well, with a health checker's patience."""
    try:
        return requests.get(url, timeout=CHECKER_SECONDS).ok
    except requests.RequestException:
        return False


def serving_region(url: str) -> Watcher:
    """Watch who answers at the public name, by a new connection each time."""

    def look() -> str:
        return _region_that_answers(
            lambda: requests.get(f"{url}/health", timeout=20, headers={"connection": "close"})
        )

    return Watcher(f"{url} is served by", QUICK_SECONDS, look)


def writes_served_by(url: str) -> str:
    """Name the Region that answers the public name's writes; nothing is written.

    A write without a token is refused by the gateway of the Region that it came to, which says its
    name. Reads may be answered by another one, as they fail over within the request.
    """
    return _region_that_answers(
        lambda: requests.put(
            f"{url}/v1/items/{uuid.uuid4()}",
            json={},
            timeout=CHECKER_SECONDS,
            headers={"connection": "close"},
        )
    )


def _region_that_answers(ask: Callable[[], requests.Response]) -> str:
    try:
        answer = ask()
    except requests.RequestException:
        return "nobody"
    return answer.headers.get("x-served-by") or f"nobody ({answer.status_code})"
