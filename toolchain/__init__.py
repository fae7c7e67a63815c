"""Installs the pinned tools, packages the function and drives a deployment from clone to answer.

Everything here runs on the system's own Python and its standard library alone,
because it runs before any environment exists.
"""
