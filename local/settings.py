"""The settings of the embedded AWS, and the environment it runs in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from project import emulator

REPOSITORY = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"
ACCOUNT_ID = "000000000000"
HOME_REGION = "us-east-1"

# Registered with Route 53 by the account, which so has its hosted zone before anything is deployed.
# The domain of live/local; tests/live compares the two.
REGISTERED_DOMAIN = "landing.localhost"

# Services that the modules, the toolchain, drills, traces and tests call, and that run a function;
# everything else answers an error. X-Ray is ours (local.xray).
SERVICES = (
    "acm,apigateway,cloudfront,cognito-idp,dynamodb,iam,kms,lambda,logs,monitoring,route53,sns,sqs,"
    "sts,wafv2"
)

# The secret in the environment of the serving process, and of what it starts. It opens
# nothing: a function has its role's own, and the process needs none.
NO_SECRET = "none"  # noqa: S105 - no secret at all

# The only names that pass from the caller's shell into the process and into the functions
# it runs. A user's AWS credentials, profile, region or endpoint never do.
PASSED_ON = (
    "HOME",
    "LANG",
    "LC_ALL",
    "LOCAL_ALARM_INTERVAL",
    "LOCAL_AWS_PORT",
    "LOCAL_DNS_PORT",
    "LOCAL_HTTPS_PORT",
    "LOCAL_LOG_LEVEL",
    "LOCAL_REPLICATION_LAG",
    "LOCAL_SAVE_INTERVAL",
    "LOCAL_STATE_DIR",
    "PATH",
    "SSL_CERT_FILE",
    "TZ",
)


class SettingsError(Exception):
    """A setting can't be used; the message names the variable and says what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Ports (loopback), the folder that holds everything, lag and intervals in seconds.

    `save_interval` is how long a change may wait to be saved; 0 is before it is acknowledged.
    """

    aws_port: int
    https_port: int
    dns_port: int
    state_dir: Path
    replication_lag: float
    alarm_interval: float
    save_interval: float

    @property
    def ports(self) -> dict[str, int]:
        """The ports, by the variables that set them."""
        return dict(
            zip(emulator.PORTS, (self.aws_port, self.https_port, self.dns_port), strict=True)
        )

    @property
    def endpoint(self) -> str:
        """The control plane's URL."""
        return f"http://{LOOPBACK}:{self.aws_port}"

    @property
    def state(self) -> Path:
        """What ministack keeps over a restart."""
        return self.state_dir / "state"

    @property
    def items(self) -> Path:
        """The tables' items, and what is on its way between Regions."""
        return self.state / "items.sqlite"

    @property
    def logs(self) -> Path:
        """The folder of log files."""
        return self.state_dir / "logs"

    @property
    def log_file(self) -> Path:
        """The process's own log."""
        return self.logs / "local.log"

    @property
    def ca(self) -> Path:
        """The certificate authority's folder."""
        return self.state_dir / "ca"

    @property
    def scratch(self) -> Path:
        """Unpacked functions; emptied at every start."""
        return self.state_dir / "tmp"


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from `LOCAL_*` variables and the ports that the clone remembers.

    Raises SettingsError when one makes no sense.
    """
    state_dir = Path(environment.get("LOCAL_STATE_DIR") or REPOSITORY / ".local").resolve()
    try:
        chosen = emulator.ports_of(state_dir, environment)
    except emulator.OwnerError as error:
        raise SettingsError(str(error)) from error
    settings = Settings(
        aws_port=chosen["LOCAL_AWS_PORT"],
        https_port=chosen["LOCAL_HTTPS_PORT"],
        dns_port=chosen["LOCAL_DNS_PORT"],
        state_dir=state_dir,
        replication_lag=_seconds(environment, "LOCAL_REPLICATION_LAG", 1.0),
        alarm_interval=_seconds(environment, "LOCAL_ALARM_INTERVAL", 10.0, least=0.1),
        save_interval=_seconds(environment, "LOCAL_SAVE_INTERVAL", 0.5),
    )
    ports = [settings.aws_port, settings.https_port, settings.dns_port]
    if len(set(ports)) < len(ports):
        raise SettingsError(
            "LOCAL_AWS_PORT, LOCAL_HTTPS_PORT and LOCAL_DNS_PORT are "
            f"{', '.join(map(str, ports))}: give each one of its own."
        )
    return settings


def process_environment(settings: Settings, environment: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of the serving process, and so of the functions it starts."""
    passed = {name: environment[name] for name in PASSED_ON if name in environment}
    return {
        **passed,
        "LOCAL_ALARM_INTERVAL": str(settings.alarm_interval),
        "LOCAL_AWS_PORT": str(settings.aws_port),
        "LOCAL_DNS_PORT": str(settings.dns_port),
        "LOCAL_HTTPS_PORT": str(settings.https_port),
        "LOCAL_REPLICATION_LAG": str(settings.replication_lag),
        "LOCAL_SAVE_INTERVAL": str(settings.save_interval),
        "LOCAL_STATE_DIR": str(settings.state_dir),
        # What botocore reads, so that no function ever finds a person's own account.
        "AWS_ACCESS_KEY_ID": ACCOUNT_ID,
        "AWS_SECRET_ACCESS_KEY": NO_SECRET,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        # What ministack reads, mostly while it is imported.
        "AUTH": "true",
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
        "GATEWAY_PORT": str(settings.aws_port),
        "IOT_MTLS_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "LAMBDA_STRICT": "0",
        "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
        "MINISTACK_HOST": LOOPBACK,
        "MINISTACK_REGION": HOME_REGION,
        "PERSIST_STATE": "1",
        "SERVICES": SERVICES,
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(settings.state),
        "TMPDIR": str(settings.scratch),
    }


def _seconds(environment: Mapping[str, str], name: str, default: float, least: float = 0) -> float:
    text = environment.get(name) or str(default)
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not least <= seconds <= 3600:
        raise SettingsError(f"{name}={text} won't do: give seconds from {least:g} to 3600.")
    return seconds
