"""What went wrong between here and CloudWatch, as one sentence that says what to do."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as NoConnectionError

from project.account import LOCAL, Account

# CloudWatch wouldn't or couldn't answer.
UNANSWERED = (BotoCoreError, ClientError)
MISSING = (NoCredentialsError, PartialCredentialsError, ProfileNotFound)
# What `aws sso login` gives, and what a program gives that the profile names.
STALE = (SSOError, TokenRetrievalError, CredentialRetrievalError)
UNREACHABLE = (NoConnectionError, HTTPClientError)
# AmazonCloudWatch/latest/APIReference/CommonErrors, and STS's own names for the same.
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
UNKNOWN = {
    *("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"),
    *("SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature"),
}
DENIED = {"AccessDenied", "AccessDeniedException", "NotAuthorized", "UnauthorizedOperation"}


def sentence(error: BotoCoreError | ClientError, account: Account) -> str:
    """Say what an error of boto3 means for a person at this account."""
    if isinstance(error, ClientError):
        return _refusal(error, account)
    if isinstance(error, MISSING):
        return f"There are no credentials of account {account.name} here: {_sign_in(account)}"
    if isinstance(error, STALE):
        return f"The sign-in to account {account.name} has expired: {_sign_in(account)}"
    if isinstance(error, UNREACHABLE) and account.name == LOCAL:
        return "The embedded AWS does not answer: run `make start`, or `make up` the first time."
    if isinstance(error, UNREACHABLE):
        return f"CloudWatch can't be reached: {_one_line(error)} Check this machine's network."
    return f"CloudWatch can't be asked: {_one_line(error)}"


def _refusal(error: ClientError, account: Account) -> str:
    code = error.response.get("Error", {}).get("Code", "")
    if code in EXPIRED:
        return f"The credentials of account {account.name} have expired: {_sign_in(account)}"
    if code in UNKNOWN:
        return f"AWS doesn't accept the credentials in this shell ({code}): {_sign_in(account)}"
    if code in DENIED:
        return (
            f"These credentials may not call cloudwatch:{error.operation_name}: "
            "docs/deployment-guide.md lists what the dashboards need."
        )
    return _one_line(error)


def _sign_in(account: Account) -> str:
    return f"sign in to {account.account_id} (AWS_PROFILE, `aws sso login`) and try again."


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
