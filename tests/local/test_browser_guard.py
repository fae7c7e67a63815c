"""What a browser may ask of the control plane's port: Cognito's sign-in, exactly."""

import pytest

from local.browser_guard import SIGN_IN, RawHeaders, refusal, refusal_of_body

HOST = (b"host", b"127.0.0.1:4566")
OWN = (b"origin", b"http://127.0.0.1:4566")
APP = (b"origin", b"http://localhost:3000")
OPENED = [(b"sec-fetch-dest", b"document"), (b"sec-fetch-site", b"cross-site")]
SCRIPT = [(b"sec-fetch-dest", b"empty"), (b"sec-fetch-site", b"same-site")]
FORM = "application/x-www-form-urlencoded"


def refused(method: str, path: str, *more: tuple[bytes, bytes], query: str = "") -> str:
    return refusal(method, path, [HOST, *more], query)


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/oauth2/authorize", OPENED),
        ("GET", "/logout", OPENED),
        ("POST", "/login", [OWN, (b"sec-fetch-site", b"same-origin")]),
        ("POST", "/oauth2/token", [APP, *SCRIPT]),
        ("POST", "/oauth2/token", [(b"authorization", b"Basic YTpi")]),
        ("GET", "/oauth2/userInfo", [(b"authorization", b"Bearer eyJ.a-b_c.d")]),
    ],
)
def test_the_sign_in_works_in_a_browser_and_elsewhere(
    method: str, path: str, headers: RawHeaders
) -> None:
    assert refused(method, path, *headers) == ""
    assert refused(method, path) == ""


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/login/functions"),
        ("POST", "/loginx"),
        ("POST", "/login/"),
        ("POST", "/%6cogin"),
        ("PUT", "/login"),
        ("GET", "/oauth2/token"),
        ("POST", "/oauth2/authorize"),
        ("POST", "/oauth2/"),
        ("POST", "/oauth2/idpresponse"),
        ("POST", "/logout/x"),
        ("GET", "/2015-03-31/functions"),
        ("GET", "/_local/status"),
        ("POST", "/"),
    ],
)
@pytest.mark.parametrize(
    "by_a_browser",
    [
        OWN,
        (b"origin", b"https://evil.example"),
        (b"origin", b"null"),
        (b"referer", b"https://evil.example/"),
        (b"sec-fetch-site", b"none"),  # typed
        (b"sec-fetch-mode", b"navigate"),  # clicked
        (b"access-control-request-method", b"POST"),
    ],
)
def test_a_browser_gets_nowhere_else(
    method: str, path: str, by_a_browser: tuple[bytes, bytes]
) -> None:
    assert refused(method, path, by_a_browser)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:4566", "auth.localhost", "LOCALHOST"])
def test_these_hosts_are_here(host: str) -> None:
    assert refusal("POST", "/", [(b"host", host.encode())], "") == ""


@pytest.mark.parametrize(
    "host",
    [
        "notlocalhost",
        "evil-localhost",
        "localhost.evil.example",
        "evil127.0.0.1",
        "127.0.0.1.evil.example",
        "evil.example@localhost",
        "localhost@evil.example",
        "localhost/evil",
        "localhost:http",
        "localhost.",
        "127.1",
        "2130706433",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::1",
        "",
    ],
)
def test_no_other_host_is(host: str) -> None:
    assert refusal("POST", "/login", [(b"host", host.encode())], "")
    assert refused("POST", "/oauth2/token", (b"origin", f"http://{host}".encode()))


def test_a_request_has_one_host_and_one_origin() -> None:
    assert refusal("POST", "/login", [], "")
    assert refused("POST", "/login", HOST)
    assert refused("POST", "/login", OWN, OWN)
    assert refused("POST", "/login", OWN, (b"origin", b"https://evil.example"))


@pytest.mark.parametrize(("method", "path"), sorted(SIGN_IN))
def test_nothing_of_an_aws_api_goes_with_the_sign_in(method: str, path: str) -> None:
    scope = b"000000000000/20260101/us-east-1/lambda/aws4_request"
    for header in (
        (b"x-amz-target", b"DynamoDB_20120810.ListTables"),
        (b"x-amz-date", b"20260101T000000Z"),
        (b"authorization", b"AWS4-HMAC-SHA256 Credential=" + scope),
        (b"authorization", b"Bearer Credential=" + scope),
        (b"authorization", b"Basic a, Credential=" + scope),
        (b"authorization", b"AWS key:signature"),
    ):
        assert refused(method, path, header), header
    bearer = (b"authorization", b"Bearer a")
    assert refused(method, path, bearer, bearer)
    for query in (
        "X-Amz-Credential=a", "x-amz-credential=a", "X%2DAmz-Algorithm=a", "Action=CreateUser",
        "a=b&%41ction=CreateUser", "AWSAccessKeyId=a",
    ):  # fmt: skip
        assert refused(method, path, query=query), query
        assert refusal_of_body(FORM, query.encode()), query


def test_the_sign_in_takes_forms_alone() -> None:
    assert refusal_of_body(FORM, b"username=ada&password=Action%3Dx") == ""
    assert refusal_of_body(f"{FORM}; charset=UTF-8", b"grant_type=refresh_token") == ""
    assert refusal_of_body("", b"") == ""
    for other in ("text/plain", "application/json", "multipart/form-data; boundary=x", ""):
        assert refusal_of_body(other, b"username=ada")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost:4566", "https://127.0.0.1:4566", "null"]
)
def test_the_form_comes_from_its_own_page(origin: str) -> None:
    assert refused("POST", "/login", (b"origin", origin.encode()))


def test_a_browser_says_where_a_form_comes_from() -> None:
    assert refused("POST", "/login", (b"sec-fetch-site", b"cross-site"))
    assert refused("POST", "/oauth2/token", (b"sec-fetch-site", b"cross-site"))


def test_a_strange_page_gets_no_tokens() -> None:
    assert refused("POST", "/oauth2/token", (b"origin", b"https://evil.example"))
    assert refused("POST", "/oauth2/token", (b"origin", b"null"))


@pytest.mark.parametrize("path", ["/oauth2/authorize", "/logout", "/oauth2/userInfo"])
def test_no_script_and_no_frame_opens_the_sign_in(path: str) -> None:
    assert refused("GET", path, *SCRIPT)
    assert refused("GET", path, (b"sec-fetch-dest", b"iframe"))
    assert refused("GET", path, (b"sec-fetch-dest", b"image"))
    assert refused("GET", path, APP)


@pytest.mark.parametrize("path", ["/", "/login", "/oauth2/token"])
def test_a_preflight_is_answered_to_nobody(path: str) -> None:
    assert refused("OPTIONS", path)
