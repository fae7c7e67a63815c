"""Route 53's health checks: their rules, the checkers that ask endpoints, and their API."""
