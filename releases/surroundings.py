"""What a release needs of an account: clients of AWS, the names that users go by, a test user."""

from __future__ import annotations

import getpass
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import boto3
import requests
from botocore.config import Config

from project import switch
from project.account import LOCAL, Account
from project.console import ToolchainError, say
from project.deployment import outputs_of
from project.environment import https_port
from project.owned_rows import owner_of, remove_rows
from project.sign_in import make_and_sign_in, remove_user
from releases import watchdog
from releases.events import Caller, Request, proxy_event
from releases.functions import Functions, Reply
from releases.metrics import Metrics
from releases.records import Records
from releases.smoke import Send, Writes, writes_of
from releases.stack import Stack
from releases.verdicts import CouldNotJudgeError
from releases.versions import Kind

EMAIL_DOMAIN = "release.invalid"
# A Region may be gone: nothing waits for it for long.
QUICK = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 3})
# A call may take as long as the function's timeout, and one that is slow is not to be sent twice.
CALLS = Config(connect_timeout=3, read_timeout=60, retries={"total_max_attempts": 1})
ANSWER_SECONDS = 20.0
LOOK_SECONDS = 5.0

Service = Literal["lambda", "dynamodb", "cloudwatch", "cognito-idp"]


@dataclass(frozen=True, slots=True)
class Pool:
    """Where the test user is made."""

    user_pool_id: str
    user_pool_client_id: str
    origin_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """One account's."""

    account: Account
    port: str
    _clients: dict[tuple[str, str, Config], Any] = field(default_factory=dict, repr=False)
    _client_ids: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, account: Account) -> Surroundings:
        """Find an account's."""
        return cls(account, f":{https_port()}" if account.name == LOCAL else "")

    @property
    def regions(self) -> tuple[str, str]:
        """Both, the standby first, as releases go."""
        return self.account.standby_region, self.account.primary_region

    def other(self, region: str) -> str:
        """Name the other Region. Raises ToolchainError for one that is none of the account's."""
        if region not in self.regions:
            raise ToolchainError(
                f"{region} is no Region of {self.account.name}: {' and '.join(self.regions)} are."
            )
        return next(each for each in self.regions if each != region)

    def stack(self, region: str) -> Stack:
        """Reach a Region."""
        account, prefix = self.account, f"{self.account.project}-{self.account.name}"
        own, other = (self.client("dynamodb", each) for each in (region, self.other(region)))
        return Stack(
            region,
            Functions(self.client("lambda", region), prefix),
            Records(own, account.table_name, region),
            Records(other, account.table_name, region),
            Metrics(self.client("cloudwatch", region), prefix, region),
        )

    def client(self, service: Service, region: str, config: Config = QUICK) -> Any:  # noqa: ANN401 - one type a service
        """Give a client; making one takes a tenth of a second."""
        key = (service, region, config)
        if key not in self._clients:
            session: Any = boto3.session.Session()
            self._clients[key] = session.client(service, region_name=region, config=config)
        return self._clients[key]

    def tell(self, what: str) -> None:
        """Say it on stderr."""
        say(what)

    def pause(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def wall(self) -> float:
        """Tell the time."""
        return time.time()

    def writes(self, region: str) -> Writes:
        """Read the operator's row in the Region's own replica, as its function does."""
        row = self._row(region)
        return writes_of(row, region, self.account.standby_region, int(time.time() * 1000))

    def has_users(self, region: str) -> bool:
        """Whether users come to a Region: by the operator's row, and by who answers their name."""
        account = self.account
        active = self._row(region).active
        sent_to = account.standby_region if active else account.primary_region
        return region in {sent_to, self._answers_users()}

    def _row(self, region: str) -> switch.Row:
        return switch.read(
            self.client("dynamodb", region), self.account.table_name, self.account.standby_region
        )

    def _answers_users(self) -> str:
        """Name the Region that answers at the public name; empty where none does."""
        try:
            answer = requests.get(
                f"https://api.{self.account.domain_name}{self.port}/health", timeout=LOOK_SECONDS
            )
        except requests.RequestException:
            return ""
        return answer.headers.get("x-served-by", "")

    def direct(self, stack: Stack, kind: Kind, qualifier: str) -> Send:
        """Call a function as the gateway does, at the Region's own name."""
        calls = Functions(self.client("lambda", stack.region, CALLS), stack.functions.prefix)
        host = self._host(stack.region)

        def send(request: Request, username: str | None) -> Reply:
            caller = None
            if username is not None:
                caller = Caller(username, self._client_id(stack, kind, qualifier))
            event = proxy_event(request, host, self.account.account_id, caller)
            return calls.call(kind, qualifier, event)

        return send

    def _client_id(self, stack: Stack, kind: Kind, qualifier: str) -> str:
        """Name an app client whose tokens a version takes."""
        key = (stack.region, qualifier)
        if key not in self._client_ids:
            environment = stack.functions.environment(kind, qualifier)
            self._client_ids[key] = environment.get("CLIENT_IDS", "").partition(",")[0]
        return self._client_ids[key]

    @contextmanager
    def by_name(self, region: str, username: str) -> Iterator[Send | None]:
        """Ask at the Region's own name, as a user who is there for as long as the block runs."""
        pool = self._pool()
        if pool is None or not _resolves(self._host(region)):
            yield None
            return
        cognito = self.client("cognito-idp", pool.user_pool_id.partition("_")[0])
        try:
            email = f"{username}@{EMAIL_DOMAIN}"
            token = make_and_sign_in(cognito, pool, username, email)
            yield _asking(f"https://{self._host(region)}{self.port}", token, pool.origin_key)
        finally:
            remove_user(cognito, pool.user_pool_id, username)

    def _pool(self) -> Pool | None:
        units = ("global/foundation", "global/identity")
        foundation, identity = outputs_of(self.account, units).values()
        try:
            return Pool(
                identity["user_pool_id"]["value"],
                identity["client_id"]["value"],
                foundation["origin_key"]["value"]["current"],
            )
        except KeyError:
            return None

    def _host(self, region: str) -> str:
        return f"{region}.{self.account.domain_name}"

    def watchdog(self, region: str, run: str) -> Any:  # noqa: ANN401 - a context manager
        """Watch over this process while the block runs."""
        return watchdog.watching(self.account.name, region, run)

    def sweep(self, region: str, usernames: list[str]) -> None:
        """Remove the rows of throw-away owners; replication takes the removal along."""
        table = self.client("dynamodb", region)
        for username in usernames:
            remove_rows(table, self.account.table_name, owner_of(username))

    def sweep_users(self, usernames: list[str]) -> None:
        """Remove throw-away users that a killed release may have left."""
        pool = self._pool()
        if pool is None:
            return
        cognito = self.client("cognito-idp", pool.user_pool_id.partition("_")[0])
        for username in usernames:
            remove_user(cognito, pool.user_pool_id, username)


def who() -> str:
    """Name who runs this, for whoever is told that it runs."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}, process {os.getpid()}"


def _resolves(host: str) -> bool:
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        return False
    return True


def _asking(url: str, token: str, origin_key: str) -> Send:
    session = requests.Session()

    def send(request: Request, username: str | None) -> Reply:
        own = {} if username is None else {"authorization": f"Bearer {token}"}
        began = time.perf_counter()
        try:
            answer = session.request(
                request.method,
                url + request.path,
                params=dict(request.query),
                headers={**request.sent_headers, **own, "x-origin-key": origin_key},
                data=request.text,
                timeout=ANSWER_SECONDS,
            )
        except requests.ReadTimeout:
            return Reply(504, error=f"no answer within {ANSWER_SECONDS:.0f} s")
        except requests.RequestException as error:
            raise CouldNotJudgeError(f"{url} can't be asked from here: {error}") from error
        headers = {name.lower(): text for name, text in answer.headers.items()}
        spent = (time.perf_counter() - began) * 1000
        return Reply(answer.status_code, headers, answer.text, milliseconds=spent)

    return send
