"""Accounts as live/ might have them."""

from project.account import Account

LOCAL = Account(
    "local",
    "landing",
    "000000000000",
    "landing.localhost",
    "us-east-1",
    "us-west-2",
    "landing-local-items",
)
DEV = Account(
    "dev",
    "landing",
    "111111111111",
    "dev.example.com",
    "us-east-1",
    "us-west-2",
    "landing-dev-items",
)
