"""Terragrunt's log, read as where the time of an apply went."""

from __future__ import annotations

from toolchain.apply_times import UnitTimes, read, table

LOG = """\
23:59:50.100 INFO   The following units will be run, starting with dependencies:
23:59:58.474 STDOUT [global/foundation] terraform: data.aws_region.current: Reading...
23:59:58.900 STDOUT [global/identity] terraform: Terraform used the selected providers
00:00:05.000 STDOUT [global/foundation] terraform: Plan: 3 to add, 0 to change, 0 to destroy.
00:00:05.100 STDOUT [global/foundation] terraform: aws_acm_certificate.primary["a b"]: Creating...
00:00:05.200 STDOUT [global/foundation] terraform: aws_acm_certificate.primary["a b"]: \
Creation complete after 0s [id=arn:aws:acm:us-east-1:000000000000:certificate/1]
00:00:36.000 STDOUT [global/foundation] terraform: aws_route53_zone.this[0]: \
Creation complete after 31s [id=Z1]
00:01:10.000 STDERR [global/foundation] terraform: a warning
00:01:38.900 STDOUT [global/foundation] terraform: aws_route53_record.v["a"]: \
Modifications complete after 1m2s [id=Z1_a]
00:00:06.000 STDOUT [global/identity] terraform: No changes. Your infrastructure matches
"""


def test_each_unit_has_its_times_changes_and_waits_over_midnight_too() -> None:
    foundation, identity = read(LOG.splitlines())
    assert foundation == UnitTimes(
        "global/foundation",
        0,
        7,
        100,
        3,
        [(31, "aws_route53_zone.this[0]"), (62, 'aws_route53_record.v["a"]')],
    )
    assert (identity.planned, identity.done, identity.changed, identity.waits) == (None, 8, 0, [])


def test_the_table_shows_the_longest_waits_first() -> None:
    assert table(read(LOG.splitlines())).splitlines() == [
        "  unit               began  planned  done  changed  waited for",
        "  global/foundation      0        7   100        3  "
        'aws_route53_record.v["a"] 62 s, aws_route53_zone.this[0] 31 s',
        "  global/identity        0              8        0",
    ]


def test_what_is_beyond_three_waits_is_counted() -> None:
    unit = UnitTimes("edge", 0, 1, 9, 5, [(5, f"r{number}") for number in range(5)])
    assert table([unit]).endswith("r4 5 s, r3 5 s, r2 5 s, 2 more")


def test_a_log_without_units_is_a_table_without_rows() -> None:
    assert len(table(read(["12:00:00.000 ERROR no such thing"])).splitlines()) == 1
