"""Two Regions, their functions, users and rows, and a clock that only waiting moves.

A release's every call of AWS is a step, at which it may be interrupted or killed.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, EndpointConnectionError

from releases.functions import (
    FailedVersionError,
    Functions,
    MovedMeanwhileError,
    Reply,
)
from releases.judgement import Counts
from releases.ledger import Claim, Event, Ledger, Mark, Serving
from releases.leftovers import clean_up
from releases.metrics import MINUTE, Metrics, Seen
from releases.records import LEASE_SECONDS, ClaimedError, LostClaimError, Records
from releases.release import Release
from releases.rollback import Rollback
from releases.settings import Settings
from releases.smoke import Writes
from releases.stack import Stack
from releases.versions import KINDS, Alias, Facts, Kind, Versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from releases.events import Request
    from releases.smoke import Send

STANDBY, PRIMARY = "us-west-2", "us-east-1"
USERS_A_SECOND = 20


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


@dataclass(frozen=True)
class Code:
    """What a version does. `of_users` is only when users call it."""

    name: str
    starts: bool = True
    status: int = 200
    of_users: int = 200
    milliseconds: float = 12.0
    malformed: bool = False
    active: bool = True
    memory: int = 1024


GOOD = Code("good")


@dataclass
class Region:
    """One Region's functions, rows and counts."""

    name: str
    published: dict[Kind, dict[int, Code]] = field(default_factory=dict)
    aliases: dict[Kind, Alias] = field(default_factory=dict)
    rows: dict[str, Any] = field(default_factory=dict)
    calls: Counter[tuple[Kind, int, float]] = field(default_factory=Counter)
    failures: Counter[tuple[Kind, int, float]] = field(default_factory=Counter)
    weighted: set[tuple[Kind, int, float]] = field(default_factory=set)
    users_failed: int = 0
    users: int = 0
    lost: bool = False
    table_lost: bool = False
    provisioned: bool = False
    ready: bool = True
    alarms: frozenset[str] = frozenset()
    shares_owed: float = 0.0

    def publish(self, code: Code, *, health: Code | None = None) -> Versions:
        """Publish a version of each function, as an apply does; the aliases stay."""
        numbers = []
        for kind, made in zip(KINDS, (code, health or code), strict=True):
            versions = self.published.setdefault(kind, {})
            versions[len(versions) + 1] = made
            numbers.append(len(versions))
            self.aliases.setdefault(kind, Alias(1, revision="1"))
        return Versions(*numbers)

    @property
    def served(self) -> Versions:
        return Versions(*(self.aliases[kind].version for kind in KINDS))

    @property
    def whole(self) -> bool:
        return not any(self.aliases[kind].weights for kind in KINDS)


class World:
    """Both Regions. `broken` may raise at any step: its name is handed to it."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.regions = {name: Region(name) for name in (STANDBY, PRIMARY)}
        self.users_at = PRIMARY
        self.settings = Settings(10, 10)
        self.told: list[str] = []
        self.names = True
        self.late_seconds = 60.0
        self.broken: Callable[[str], None] = lambda _step: None
        self.dead = False
        self.owners: set[str] = set()
        self.runs = 0
        self.users_a_second = USERS_A_SECOND
        self.checks_a_second = 2
        self.watched: list[Claim] = []
        self.bad_by_name: set[str] = set()

    def publish(self, code: Code, region: str | None = None) -> None:
        for each in self.regions.values():
            if region in {None, each.name}:
                each.publish(code)

    def deployed(self) -> World:
        """Both Regions as after a first deployment and two releases."""
        self.publish(replace(GOOD, name="first"))
        self.settings = Settings(10, 0)
        for name in ("first", "second", "third"):
            if name != "first":
                self.publish(replace(GOOD, name=name))
            for region in (STANDBY, PRIMARY):
                assert self.release(region)
        self.settings = Settings(10, 10)
        self.told = []
        return self

    def step(self, name: str, *, dead_too: bool = False) -> None:
        if self.dead and not dead_too:
            raise Killed
        self.broken(name)

    def kill(self) -> None:
        """End the process: what it does from now on isn't done."""
        self.dead = True
        raise Killed

    def wait(self, seconds: float) -> None:
        """Let time go by, in which users call."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + 1)
            region = self.regions[self.users_at]
            for _ in range(self.users_a_second):
                self._user(region)
            for _ in range(self.checks_a_second):
                self.count(region, "health", self.chosen(region, "health"), failed=False)

    def _user(self, region: Region) -> None:
        region.users += 1
        version = self.chosen(region, "api")
        code = region.published["api"][version]
        failed = not code.starts or code.of_users >= 500 or code.status >= 500 or code.malformed
        self.count(region, "api", version, failed=failed)
        region.users_failed += failed

    def chosen(self, region: Region, kind: Kind) -> int:
        """The version that an alias' next call comes to: by its share, evenly."""
        alias = region.aliases[kind]
        for version, share in alias.weights.items():
            region.shares_owed += share
            if region.shares_owed >= 1:
                region.shares_owed -= 1
                return version
        return alias.version

    def count(self, region: Region, kind: Kind, version: int, *, failed: bool) -> None:
        minute = self.now // MINUTE * MINUTE
        region.calls[kind, version, minute] += 1
        if region.aliases[kind].weights:
            region.weighted.add((kind, version, minute))
        region.failures[kind, version, minute] += failed

    # What runs.

    def stack(self, name: str, *, dead_too: bool = False) -> Stack:
        region = self.regions[name]
        other = self.regions[STANDBY if name == PRIMARY else PRIMARY]
        return Stack(
            name,
            FakeFunctions(self, region, dead_too=dead_too),
            FakeRecords(self, region, name, dead_too=dead_too),
            FakeRecords(self, other, name, dead_too=dead_too),
            FakeMetrics(self, region),
        )

    def a_release(self, name: str) -> Release:
        self.runs += 1
        return Release(
            here=self.stack(name),
            there=self.stack(STANDBY if name == PRIMARY else PRIMARY),
            around=Around(self),
            settings=self.settings,
            run=f"00000000-0000-4000-8000-{self.runs:012}",
            who=f"operator {self.runs}",
        )

    def release(self, name: str) -> bool:
        return self.a_release(name).perform()

    def rollback(self, name: str, version: int | None = None) -> Versions:
        return self.a_rollback(name, version).perform()

    def a_rollback(self, name: str, version: int | None = None) -> Rollback:
        self.runs += 1
        return Rollback(
            stack=self.stack(name),
            there=self.stack(STANDBY if name == PRIMARY else PRIMARY),
            run=f"00000000-0000-4000-8000-{self.runs:012}",
            who="somebody",
            tell=self.told.append,
            wall=lambda: self.now,
            version=version,
        )

    def ledger(self, name: str) -> Ledger:
        return FakeRecords(self, self.regions[name], name, dead_too=True).read()


class Around:
    """The surroundings of a release in this world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def tell(self, what: str) -> None:
        self._world.step(f"told: {what}")
        self._world.told.append(what)

    def pause(self, seconds: float) -> None:
        self._world.step("pause")
        self._world.wait(seconds)

    def wall(self) -> float:
        return self._world.now

    def writes(self, region: str) -> Writes:
        self._world.step(f"writes {region}")
        return Writes.TAKEN

    def has_users(self, region: str) -> bool:
        self._world.step(f"has_users {region}")
        return region == self._world.users_at

    def direct(self, stack: Stack, kind: Kind, qualifier: str) -> Send:
        def send(request: Request, username: str | None) -> Reply:
            return self._answer(stack.region, kind, qualifier, request, username)

        return send

    def _answer(
        self, name: str, kind: Kind, qualifier: str, request: Request, username: str | None
    ) -> Reply:
        world, region = self._world, self._world.regions[name]
        world.step(f"call {kind} {qualifier} {request.method} {request.resource}")
        if username:
            world.owners.add(username)
        by_alias = not qualifier.isdecimal()
        version = world.chosen(region, kind) if by_alias else int(qualifier)
        code = region.published[kind][version]
        reply = replace(
            answer(code, request, region), version=version, milliseconds=code.milliseconds
        )
        if by_alias:
            world.count(region, kind, version, failed=reply.status >= 500)
        return reply

    @contextmanager
    def by_name(self, region: str, username: str) -> Iterator[Send | None]:
        world = self._world
        world.step(f"by_name {region} {username}")
        if not world.names:
            yield None
            return

        def send(request: Request, name: str | None) -> Reply:
            if region in world.bad_by_name:
                return Reply(403, error="")
            kind: Kind = "health" if name is None else "api"
            return self._answer(region, kind, "live", request, name)

        yield send

    @contextmanager
    def watchdog(self, region: str, run: str) -> Iterator[FakeWatchdog]:
        watchdog = FakeWatchdog()
        try:
            yield watchdog
        finally:
            if watchdog.claim is not None and self._world.dead:
                self._world.broken = lambda _step: None
                clean_up(
                    self._world.stack(region, dead_too=True), LivingAround(self._world), run,
                    watchdog.claim,
                )  # fmt: skip
            elif watchdog.claim is not None:
                clean_up(self._world.stack(region), self, run, watchdog.claim)

    def sweep(self, region: str, usernames: list[str]) -> None:
        self._world.step(f"sweep {region}")
        self._world.owners -= set(usernames)


class LivingAround(Around):
    """A watchdog's, whose process lives on."""

    def tell(self, what: str) -> None:
        self._world.told.append(what)

    def sweep(self, region: str, usernames: list[str]) -> None:
        del region
        self._world.owners -= set(usernames)


class FakeWatchdog:
    """What a watchdog knows."""

    def __init__(self) -> None:
        self.claim: Claim | None = None

    def about(self, claim: Claim) -> None:
        self.claim = claim

    def done(self) -> None:
        self.claim = None


def answer(code: Code, request: Request, region: Region) -> Reply:
    """What a version of this code answers."""
    headers = {"x-served-by": region.name, "etag": '"1"'}
    broken = "no module" if not code.starts else "malformed proxy answer" * code.malformed
    if broken:
        return Reply(502, error=broken)
    if code.status >= 500:
        return Reply(code.status, headers)
    if request.method == "POST":
        title = request.body["title"] if isinstance(request.body, dict) else ""
        return Reply(201, headers, json.dumps({"id": f"item of {title}", "title": title}))
    if request.resource == "/v1/items/{id}" and request.method == "GET":
        return _item(request, headers)
    return Reply(_status(request, region), headers, AnyText())


def _status(request: Request, region: Region) -> int:
    special = {"/health/takeover": 404, "/health/ready": 200 if region.ready else 503}
    return 204 if request.method == "DELETE" else special.get(request.resource, 200)


class AnyText(str):
    """A body that holds whatever is looked for."""

    __slots__ = ()

    def __contains__(self, _text: object) -> bool:
        return True


class _Reads(Counter[str]):
    """How often each item was read: the second time it is deleted."""


READS = _Reads()


def _item(request: Request, headers: dict[str, str]) -> Reply:
    item = request.parameters["id"]
    READS[item] += 1
    return Reply(200 if READS[item] == 1 else 404, headers, AnyText())


def gone(service: str) -> EndpointConnectionError:
    return EndpointConnectionError(endpoint_url=f"https://{service}.example")


class FakeFunctions(Functions):
    """Lambda's API over a Region of the world."""

    def __init__(self, world: World, region: Region, *, dead_too: bool) -> None:
        super().__init__(None, "landing-dev", world.wait)  # type: ignore[arg-type]
        object.__setattr__(self, "_w", (world, region, dead_too))

    def _step(self, name: str) -> Region:
        world, region, dead_too = self._w  # type: ignore[attr-defined]
        world.step(f"{name} {region.name}", dead_too=dead_too)
        if region.lost:
            raise gone("lambda")
        found: Region = region
        return found

    def alias(self, kind: Kind) -> Alias:
        return self._step(f"alias {kind}").aliases[kind]

    def published(self, kind: Kind) -> list[int]:
        return list(self._step(f"published {kind}").published[kind])

    def facts(self, versions: Versions) -> dict[Kind, Facts]:
        region = self._step("facts")
        return {kind: facts(region.published[kind][versions.of(kind)]) for kind in KINDS}

    def await_active(self, versions: Versions, renew: Callable[[], object]) -> None:
        region = self._step("await_active")
        renew()
        if not region.published["api"][versions.api].active:
            raise FailedVersionError("api failed: it can't be packaged.")

    def has_provisioned_concurrency(self, kind: Kind) -> bool:
        return self._step(f"provisioned {kind}").provisioned

    def companion(self, api: int, otherwise: int) -> Versions:
        del otherwise
        return Versions(api, api)

    def move(self, kind: Kind, current: Alias, version: int, weights: Any = None) -> Alias:
        region = self._step(f"move {kind}")
        if region.aliases[kind].revision != current.revision:
            raise MovedMeanwhileError(f"Somebody else has moved the alias of {kind}.")
        if weights and region.provisioned:
            raise ClientError(
                {"Error": {"Code": "InvalidParameterValueException", "Message": "weights"}},
                "UpdateAlias",
            )
        revision = str(int(current.revision) + 1)
        region.aliases[kind] = Alias(version, dict(weights or {}), revision)
        self._step(f"moved {kind}")
        return region.aliases[kind]


def facts(code: Code) -> Facts:
    return Facts(code.name, "handler", "python3.13", ("arm64",), code.memory, 10, {})


class FakeRecords(Records):
    """The table's rows: a replica that holds `region`'s, seen from `where`."""

    def __init__(self, world: World, where: Region, region: str, *, dead_too: bool) -> None:
        super().__init__(None, "items", region, lambda: world.now)  # type: ignore[arg-type]
        object.__setattr__(self, "_w", (world, where, dead_too))

    def _step(self, name: str) -> dict[str, Any]:
        world, where, dead_too = self._w  # type: ignore[attr-defined]
        world.step(f"{name} {self.region}", dead_too=dead_too)
        if where.lost or where.table_lost:
            raise gone("dynamodb")
        # What replicates is there at once.
        rows: dict[str, Any] = world.regions[self.region].rows
        return rows

    def read(self) -> Ledger:
        rows = self._step("read")
        return Ledger(
            claim=rows.get("claim"),
            serving=rows.get("serving"),
            marks=tuple(row for key, row in sorted(rows.items()) if key.startswith("mark#")),
            events=tuple(row for key, row in sorted(rows.items()) if key.startswith("event#")),
        )

    def claim(self, claim: Claim) -> None:
        rows = self._step("claim")
        there = rows.get("claim")
        if there and there.run != claim.run and there.is_live(self.wall()):
            raise ClaimedError(f"Another release of {self.region} runs ({there.who}).")
        rows["claim"] = replace(claim, until=self.wall() + LEASE_SECONDS)
        self._step("claimed")

    def renew(self, run: str) -> None:
        rows = self._step("renew")
        if "claim" not in rows or rows["claim"].run != run:
            raise LostClaimError("another one has begun")
        rows["claim"] = replace(rows["claim"], until=self.wall() + LEASE_SECONDS)

    def conclude(
        self,
        run: str | None,
        event: Event,
        serving: Serving | None = None,
        mark: Mark | None = None,
    ) -> None:
        rows = self._step(f"conclude {event.what}")
        if run and "claim" in rows and rows["claim"].run != run:
            raise LostClaimError("another one has begun")
        rows[f"event#{event.at}#{event.run}"] = event
        rows.update({"serving": serving} if serving else {})
        rows.update({f"mark#{mark.fingerprint}": mark} if mark else {})
        if run:
            rows.pop("claim", None)
        self._step(f"concluded {event.what}")

    def unmark(self, fingerprint: str) -> None:
        self._step("unmark").pop(f"mark#{fingerprint}", None)


class FakeMetrics(Metrics):
    """CloudWatch, which shows a call once it is `late_seconds` old."""

    def __init__(self, world: World, region: Region) -> None:
        super().__init__(None, "landing-dev", region.name)  # type: ignore[arg-type]
        object.__setattr__(self, "_w", (world, region))

    def seen(
        self, kind: Kind, version: int, since: float, now: float, *, alone: bool = False
    ) -> Seen:
        world, region = self._w  # type: ignore[attr-defined]
        world.step(f"metrics {kind} {version}")
        keys = [
            key
            for key in region.calls
            if key[0] == kind
            # Lambda tells versions apart where an alias has weights.
            and (alone or (key[1] == version and key in region.weighted))
            and since // MINUTE * MINUTE <= key[2] <= now - world.late_seconds
        ]
        calls = sum(region.calls[key] for key in keys)
        failures = sum(region.failures[key] for key in keys)
        minutes = [key[2] for key in keys]
        median = region.published[kind][version].milliseconds if calls else None
        return Seen(Counts(calls, failures, 0, median), max(minutes, default=0.0))

    def alarms(self) -> frozenset[str]:
        world, region = self._w  # type: ignore[attr-defined]
        world.step("alarms")
        alarms: frozenset[str] = region.alarms
        return alarms

    def mark_release(self) -> None:
        world, _ = self._w  # type: ignore[attr-defined]
        world.step("draw", dead_too=True)
