"""Logs.

log_groups            how AWS's own services write events, and AWS/Logs
access_logs           the stage's and the edge's access logs
insights_language     what a Logs Insights query asks for
insights_evaluation   the rows that answer it
retention             events over a restart, and how many a group keeps
"""
