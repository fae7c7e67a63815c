"""The embedded AWS: an emulator for this project on one machine, never a production path.

One process of ours runs ministack (control plane, API Gateway, Lambda, Cognito, DynamoDB)
and adds what it lacks. Everything listens on loopback alone.
"""
