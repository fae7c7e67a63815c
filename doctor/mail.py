"""Whether the user pool's e-mail reaches users: SES, where it goes through SES."""

from __future__ import annotations

from collections.abc import Iterator

from doctor.aws import Aws
from doctor.expected import Expected
from doctor.finding import Finding, ok, wrong

SANDBOX, IDENTITY = "SES: sandbox", "SES: identity"


def check(aws: Aws, expected: Expected) -> Iterator[Finding]:
    """Look at SES in the Region that account.hcl names, or say who sends instead."""
    arn = expected.ses_identity_arn
    if arn is None:
        yield ok(
            "e-mail",
            "Cognito's own sender, 50 e-mails a day",
            "for users: a verified SES identity (email_ses_identity_arn)",
        )
        return
    region, identity = arn.split(":")[3], arn.partition("identity/")[2]
    client = aws.client("sesv2", region)

    def sandbox() -> Finding:
        answer = client.get_account()
        return judge_sandbox(
            region,
            production=answer["ProductionAccessEnabled"],
            sending=answer["SendingEnabled"],
        )

    def verified() -> Finding:
        try:
            answer = client.get_email_identity(EmailIdentity=identity)
        except client.exceptions.NotFoundException:
            return judge_identity(identity, region, verified=None)
        return judge_identity(identity, region, verified=answer["VerifiedForSendingStatus"])

    yield aws.attempt(SANDBOX, sandbox)
    yield aws.attempt(IDENTITY, verified)


def judge_sandbox(region: str, *, production: bool, sending: bool) -> Finding:
    """Judge whether SES sends to anybody, or to verified addresses alone."""
    if not production:
        return wrong(
            SANDBOX,
            f"in the sandbox of {region}: only verified addresses get e-mail",
            "request production access in SES's console; AWS answers within a day",
        )
    if not sending:
        do = "see SES's account dashboard: bounces or complaints stop it"
        return wrong(SANDBOX, f"out of it, but sending is paused in {region}", do)
    return ok(SANDBOX, f"out of it in {region}")


def judge_identity(identity: str, region: str, *, verified: bool | None) -> Finding:
    """Judge whether the sender may send; None is an identity that SES doesn't know."""
    if verified:
        return ok(IDENTITY, f"{identity} is verified")
    state = "is not there" if verified is None else "is not verified"
    do = "make and verify it (a domain by its DKIM records), or name another in account.hcl"
    return wrong(IDENTITY, f"{identity} {state} in {region}", do)
