"""Logs Insights: what a query asks for, and the rows that answer it."""
