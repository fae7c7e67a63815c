"""The deployed dashboards and alarms as pages: a client of CloudWatch's API, on any account."""
