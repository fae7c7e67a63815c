"""Whether what is deployed is still what is written: every unit planned, nothing applied.

Terragrunt plans, as it would for an apply, without a lock and without mocks; the plans are read
as JSON. `queue` runs it, `judging` and what it uses ask nobody. No value of an attribute is ever
shown: a plan holds secrets, and not all of them are marked as such.
"""
