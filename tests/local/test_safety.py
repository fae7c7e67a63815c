"""It can't hurt anyone: loopback alone, nothing of a person's own account, no web page's toy."""

import functools
import hashlib
import http.client
import json
import os
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from local import process
from local.settings import Settings, SettingsError
from local.settings import read as read_settings
from tests.local.conftest import POISON, settings_in
from tests.support.emulator import Emulator, Stack, eventually


def _pid(emulator: Emulator) -> int:
    pid: int = emulator.status()["pid"]
    return pid


def test_every_listener_of_the_process_and_its_functions_is_on_loopback(stack: Stack) -> None:
    worker: int = stack.get("us-east-1", "/where").json()["pid"]
    mine, functions = (_listeners(pid) for pid in (_pid(stack.emulator), worker))

    assert all(ip_address(address).is_loopback for address, _ in mine | functions)
    settings = stack.emulator.settings
    assert {port for _, port in mine} == {settings.aws_port, settings.https_port, settings.dns_port}


def test_nothing_of_the_process_and_its_functions_waits_for_datagrams_elsewhere(
    stack: Stack,
) -> None:
    """DNS, and what a function sends its traces to. A client's own socket is soon gone."""
    worker: int = stack.get("us-east-1", "/where").json()["pid"]
    mine, functions = _pid(stack.emulator), worker

    eventually(lambda: _open_datagrams(mine) | _open_datagrams(functions) == set())
    assert stack.emulator.settings.dns_port in {port for _, port in _datagrams(mine)}


def _open_datagrams(pid: int) -> set[tuple[str, int]]:
    """Where datagrams from other machines could arrive."""
    return {each for each in _datagrams(pid) if not ip_address(each[0]).is_loopback}


def _datagrams(pid: int) -> set[tuple[str, int]]:
    found = psutil.Process(pid).net_connections("udp")
    return {each.laddr for each in found if each.laddr and not each.raddr}


def _listeners(pid: int) -> set[tuple[str, int]]:
    found = psutil.Process(pid).net_connections("tcp")
    return {each.laddr for each in found if each.status == psutil.CONN_LISTEN}


def test_real_credentials_reach_neither_the_process_nor_its_functions(stack: Stack) -> None:
    process_has = json.dumps(psutil.Process(_pid(stack.emulator)).environ())
    function_has = json.dumps(stack.get("us-west-2", "/where").json()["environment"])

    assert '"AWS_REGION": "us-west-2"' in function_has
    for name, value in POISON.items():
        if name != "AWS_REGION":
            assert value not in process_has, name
            assert value not in function_has, name


def test_a_function_calls_the_embedded_aws_and_reads_no_profile(stack: Stack) -> None:
    environment = stack.get("us-west-2", "/where").json()["environment"]

    assert environment["AWS_ENDPOINT_URL"] == stack.emulator.settings.endpoint
    assert environment["AWS_CONFIG_FILE"] == "/dev/null"
    assert environment["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert "PYTHONPATH" not in environment


def test_keys_are_for_their_owner_alone(emulator: Emulator) -> None:
    settings = emulator.settings

    assert stat.S_IMODE((settings.ca / "ca.key").stat().st_mode) == 0o600
    for folder in (settings.ca, settings.state, settings.logs):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_bundle_holds_the_systems_roots_and_the_authority(emulator: Emulator) -> None:
    bundle = (emulator.settings.ca / "bundle.pem").read_bytes()

    assert (emulator.settings.ca / "ca.pem").read_bytes() in bundle
    assert bundle.count(b"BEGIN CERTIFICATE") > 50


CREDENTIAL = "000000000000/20260101/us-east-1/{}/aws4_request"
FUNCTION = json.dumps({"FunctionName": "evil", "Runtime": "python3.13", "Handler": "a.b"})
CREATE_USER = "Action=CreateUser&UserName=evil&Version=2010-05-08"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def send(
    emulator: Emulator, method: str, path: str, *headers: tuple[str, str], body: str = ""
) -> tuple[int, dict[str, str]]:
    """A request as it is written here, with nothing added; headers may be there twice."""
    connection = http.client.HTTPConnection("127.0.0.1", emulator.settings.aws_port, timeout=10)
    own_host = any(name.lower() == "host" for name, _ in headers)
    connection.putrequest(method, path, skip_host=own_host, skip_accept_encoding=True)
    for name, value in (*headers, ("Content-Length", str(len(body)))):
        connection.putheader(name, value)
    connection.endheaders(body.encode())
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}


@functools.cache
def watch(emulator: Emulator, service: str) -> Any:
    """A client that is made once: that takes a tenth of a second."""
    return emulator.client(service)


def nothing_was_done(emulator: Emulator) -> bool:
    users = watch(emulator, "iam").list_users()["Users"]
    functions = watch(emulator, "lambda").list_functions()["Functions"]
    names = {user["UserName"] for user in users} | {each["FunctionName"] for each in functions}
    return "evil" not in names and bool(watch(emulator, "dynamodb").list_tables()["TableNames"])


def as_root(service: str) -> tuple[str, str]:
    """A signature of root's that anybody could write down."""
    scope = CREDENTIAL.format(service)
    signature = "0" * 64
    return (
        "Authorization",
        f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={signature}",
    )


BY_A_PAGE = {
    "a function, by a path below the sign-in": (
        "/login/functions", [as_root("lambda")], FUNCTION,
    ),
    "a function, by a path that begins like it": (
        "/oauth2/../2015-03-31/functions", [as_root("lambda")], FUNCTION,
    ),
    "a function, by the sign-in's own path": ("/login", [as_root("lambda")], FUNCTION),
    "a user, by a form without a preflight": (
        f"/loginx?X-Amz-Credential={CREDENTIAL.format('iam')}", [*FORM.items()], CREATE_USER,
    ),
    "a user, by the sign-in's form": (
        f"/login?X-Amz-Credential={CREDENTIAL.format('iam')}", [*FORM.items()], CREATE_USER,
    ),
    "a user, by Action alone": ("/logout/", [*FORM.items()], CREATE_USER),
    "a table's end, by a target": (
        "/oauth2/x", [("X-Amz-Target", "DynamoDB_20120810.DeleteTable"), as_root("dynamodb")],
        '{"TableName": "things"}',
    ),
}  # fmt: skip


@pytest.mark.parametrize(("path", "headers", "body"), BY_A_PAGE.values(), ids=BY_A_PAGE.keys())
@pytest.mark.parametrize(
    "origins",
    [
        ["https://evil.example"],
        ["null"],
        ["http://notlocalhost"],
        ["http://evil-localhost"],
        ["http://127.0.0.1.evil.example"],
        ["https://evil.example", "http://localhost"],
        ["http://localhost", "https://evil.example"],
    ],
)
def test_no_page_calls_the_api_through_the_sign_ins_paths(
    stack: Stack, path: str, headers: list[tuple[str, str]], body: str, origins: list[str]
) -> None:
    named = [("Origin", origin) for origin in origins]

    status, answered = send(stack.emulator, "POST", path, *named, *headers, body=body)

    assert status == 403
    assert "access-control-allow-origin" not in answered
    assert nothing_was_done(stack.emulator)


@pytest.mark.parametrize("host", ["notlocalhost", "evil-localhost", "rebound.evil.example"])
@pytest.mark.parametrize("path", ["/login", "/logout", "/2015-03-31/functions"])
def test_no_name_but_this_machines_leads_here(emulator: Emulator, host: str, path: str) -> None:
    port = emulator.settings.aws_port
    assert send(emulator, "GET", path, ("Host", f"{host}:{port}"))[0] == 403
    assert send(emulator, "GET", path, ("Host", "localhost"), ("Host", host))[0] in (400, 403)


@pytest.mark.parametrize(
    "by_a_browser",
    [
        ("Origin", "http://localhost:3000"),
        ("Origin", "http://127.0.0.1"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-origin"),
        ("Sec-Fetch-Site", "none"),  # typed
        ("Sec-Fetch-Mode", "navigate"),  # clicked
        ("Referer", "http://localhost:3000/"),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/2015-03-31/functions"),
        ("POST", "/_ministack/reset"),
        ("GET", "/_ministack/health"),
        ("GET", "/_local/status"),
        ("GET", "/"),
        ("OPTIONS", "/"),
        ("OPTIONS", "/oauth2/token"),
    ],
)
def test_a_browser_has_no_business_at_the_control_plane(
    stack: Stack, method: str, path: str, by_a_browser: tuple[str, str]
) -> None:
    """Not even with the clone's own secrets: it is the browser that is refused."""
    name, value = by_a_browser
    named = {name.replace("-", "_"): value, **with_the_token(stack.emulator)}

    answer = stack.emulator.signed("lambda", path, b"", method, **named)

    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    assert nothing_was_done(stack.emulator)


@pytest.mark.parametrize("path", ["/2015-03-31/functions", "/_local/status"])
def test_with_the_same_secrets_and_no_browser_the_control_plane_serves(
    emulator: Emulator, path: str
) -> None:
    named = with_the_token(emulator)

    assert emulator.signed("lambda", path, b"", "GET", **named).status_code == 200


def with_the_token(emulator: Emulator) -> dict[str, str]:
    """The token of the emulator's own API, as `Emulator.signed` takes it."""
    return {name.replace("-", "_"): value for name, value in emulator.control.items()}


@pytest.mark.parametrize("token", ["", "1", "local", "0" * 40])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/_local/status"),
        ("POST", "/_local/replication"),
        ("POST", "/_local/faults"),
        ("DELETE", "/_local/faults"),
    ],
)
def test_the_emulators_own_api_wants_the_token(
    emulator: Emulator, method: str, path: str, token: str
) -> None:
    assert send(emulator, method, path, ("X-Local-Control", token), body="{}")[0] == 403
    right = ("X-Local-Control", emulator.credentials.control_token)
    assert send(emulator, method, path, right, right, body="{}")[0] == 403


@pytest.mark.parametrize(
    "path",
    [
        "/_ministack/health",
        "/_ministack/reset",
        "/_ministack/config",
        "/_ministack/lambda-code/function",
        "/_localstack/health",
        "/_aws/execute-api/{api}/live/where",
        "/restapis/{api}/live/_user_request_/where",
        "/_aws/lambda-url/x/",
        "/health",
        "/latest/meta-data/",
    ],
)
def test_ministacks_own_paths_are_closed_with_a_signature_too(stack: Stack, path: str) -> None:
    path = path.format(api=stack.apis["us-east-1"])

    for method in ("GET", "POST"):
        refused = stack.emulator.signed("lambda", path, method=method)
        assert refused.status_code in (400, 403, 404)
        assert send(stack.emulator, method, path)[0] == 403
    assert nothing_was_done(stack.emulator)


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("events", "list_api_destinations"),  # by which the server could be made to call itself
        ("scheduler", "list_schedules"),
        ("secretsmanager", "list_secrets"),
        ("ssm", "describe_parameters"),
        ("backup", "list_backup_vaults"),
        ("s3", "list_buckets"),
    ],
)
def test_services_that_nothing_here_uses_are_off(
    emulator: Emulator, service: str, operation: str
) -> None:
    with pytest.raises(ClientError):
        getattr(emulator.client(service), operation)()


@pytest.mark.parametrize("host", ["{api}.execute-api.localhost", "us-east-1.landing.localhost"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/live/where"),
        # The sign-in is at this machine's own names, and none of these is left to ministack.
        ("POST", "/login"),
        ("GET", "/logout"),
        ("POST", "/oauth2/token"),
        ("GET", "/oauth2/authorize"),
    ],
)
def test_no_data_plane_is_found_by_host_at_the_control_plane(
    stack: Stack, host: str, method: str, path: str
) -> None:
    host = host.format(api=stack.apis["us-east-1"])

    status, answered = send(stack.emulator, method, path, ("Host", host))

    assert status == 403
    assert "x-served-by" not in answered


@pytest.mark.parametrize("service", ["dynamodb", "iam", "lambda", "route53", "cloudwatch"])
@pytest.mark.parametrize(
    ("key", "secret", "code"),
    [
        ("000000000000", "local", r"InvalidSignatureException|SignatureDoesNotMatch"),
        ("000000000000", "none", r"InvalidSignatureException|SignatureDoesNotMatch"),
        ("111122223333", "test", r"UnrecognizedClientException|InvalidClientTokenId"),
        ("test", "test", r"UnrecognizedClientException|InvalidClientTokenId"),
    ],
)
def test_nobody_is_root_without_the_clones_secret(
    emulator: Emulator, service: str, key: str, secret: str, code: str
) -> None:
    stranger = emulator.client(service, aws_access_key_id=key, aws_secret_access_key=secret)
    harmless = {
        "dynamodb": "list_tables", "iam": "list_users", "lambda": "list_functions",
        "route53": "list_hosted_zones", "cloudwatch": "describe_alarms",
    }  # fmt: skip

    with pytest.raises(ClientError, match=code) as refused:
        getattr(stranger, harmless[service])()

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)
    assert "make -s env" in str(refused.value)


def test_what_is_not_signed_is_refused_as_aws_does(emulator: Emulator) -> None:
    for service, operation in (("dynamodb", "list_tables"), ("lambda", "list_functions")):
        unsigned = emulator.client(service, config=Config(signature_version=UNSIGNED))
        with pytest.raises(ClientError, match="MissingAuthenticationToken"):
            getattr(unsigned, operation)()


def test_cognitos_public_operations_need_no_signature_and_its_others_do(stack: Stack) -> None:
    emulator = stack.emulator
    unsigned = emulator.client("cognito-idp", config=Config(signature_version=UNSIGNED))

    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        unsigned.initiate_auth(AuthFlow="USER_SRP_AUTH", ClientId="nobody")
    with pytest.raises(ClientError, match="MissingAuthenticationToken"):
        unsigned.list_user_pools(MaxResults=1)
    target = ("X-Amz-Target", "AWSCognitoIdentityProviderService.InitiateAuth")
    for path in ("/2015-03-31/functions", "/?Action=CreateUser", "//"):
        assert send(emulator, "POST", path, target, body=CREATE_USER)[0] in (400, 403)
    assert nothing_was_done(stack.emulator)


def test_a_functions_role_has_a_secret_that_nobody_can_work_out(stack: Stack) -> None:
    given = stack.get("us-east-1", "/where").json()["environment"]
    arn = "arn:aws:lambda:us-east-1:000000000000:function:function"
    role = "arn:aws:iam::000000000000:role/function"
    digest = hashlib.sha256(f"{arn}:{role}".encode()).hexdigest()
    words = [
        hashlib.sha256(f"{word}:{digest}".encode()).hexdigest() for word in ("secret", "token")
    ]
    guess = stack.emulator.client(
        "dynamodb", aws_access_key_id=f"ASIA{digest[:16].upper()}",
        aws_secret_access_key=words[0], aws_session_token=words[1],
    )  # fmt: skip

    assert given["AWS_SECRET_ACCESS_KEY"] not in words
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        guess.put_item(TableName="things", Item={"owner": {"S": "f"}, "item_id": {"S": "1"}})


def test_a_session_needs_its_secret_and_its_token(stack: Stack) -> None:
    given = stack.get("us-east-1", "/where").json()["environment"]
    key = {
        "aws_access_key_id": given["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": given["AWS_SECRET_ACCESS_KEY"],
        "aws_session_token": given["AWS_SESSION_TOKEN"],
    }
    item = {"owner": {"S": "f"}, "item_id": {"S": "1"}}

    stack.emulator.client("dynamodb", **key).put_item(TableName="things", Item=item)
    for name in ("aws_secret_access_key", "aws_session_token"):
        wrong = stack.emulator.client("dynamodb", **{**key, name: "guessed"})
        with pytest.raises(ClientError, match=r"InvalidSignature|UnrecognizedClient|InvalidToken"):
            wrong.put_item(TableName="things", Item=item)


def test_the_clones_secret_is_in_no_environment_log_or_command_line(stack: Stack) -> None:
    process_id, settings = _pid(stack.emulator), stack.emulator.settings
    texts = [
        Path(f"/proc/{process_id}/environ").read_text(),
        Path(f"/proc/{process_id}/cmdline").read_text(),
        json.dumps(stack.get("us-west-2", "/where").json()["environment"]),
        *(file.read_text() for file in settings.logs.iterdir()),
    ]

    secrets = (
        stack.emulator.credentials.secret_access_key,
        stack.emulator.credentials.control_token,
    )
    assert not [secret for secret in secrets for text in texts if secret in text]


def test_another_user_of_the_machine_reads_nothing(settings_in_the_open: Settings) -> None:
    process.start(settings_in_the_open)
    folder = settings_in_the_open.state_dir
    try:
        assert _open_to_others(folder) == []
        assert {file.name for file in folder.iterdir()} >= {"credentials.json", "ca", "state"}
    finally:
        process.stop(settings_in_the_open)


@pytest.fixture
def settings_in_the_open() -> Iterator[Settings]:
    """A state folder that everybody may enter, with a file in it, as an older tool left it."""
    with tempfile.TemporaryDirectory() as outer:
        folder = Path(outer) / ".local"
        for each in (folder, folder / "tfstate", folder / "ca", folder / "logs"):
            each.mkdir()
            each.chmod(0o755)
        (folder / "tfstate" / "terraform.tfstate").write_text("an origin key")
        Path(outer).chmod(0o755)
        yield settings_in(folder)


def _open_to_others(folder: Path) -> list[str]:
    """What another user may read in a folder: asked of one where that can be, else by modes."""
    paths = [folder, *folder.rglob("*")]
    if os.geteuid() == 0:
        reads = 'for path; do head -c1 "$path" 2>/dev/null || ls "$path" 2>/dev/null; done'
        done = subprocess.run(
            ["sh", "-c", reads, "sh", *map(str, paths)],
            capture_output=True, text=True, check=False, user=65534, group=65534, extra_groups=[],
        )  # fmt: skip
        return done.stdout.splitlines()
    shut = stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0
    return [] if shut else [str(folder)]


@pytest.mark.parametrize(
    ("variable", "text"),
    [("LOCAL_AWS_PORT", "http"), ("LOCAL_HTTPS_PORT", "0"), ("LOCAL_REPLICATION_LAG", "-1")],
)
def test_a_setting_that_makes_no_sense_is_named(variable: str, text: str) -> None:
    with pytest.raises(SettingsError, match=f"{variable}={text}"):
        read_settings({variable: text})


def test_two_ports_that_are_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="LOCAL_DNS_PORT"):
        read_settings({"LOCAL_AWS_PORT": "8053", "LOCAL_STATE_DIR": str(tmp_path)})
