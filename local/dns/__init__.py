"""Route 53's data plane for the embedded AWS: DNS answers and health checkers.

The rules (`zones`, `routing`, `health.checks`) are pure and name the AWS page that each one comes
from. Around them stand the sockets: `server` answers, `health.client` and `health.checkers` ask,
`resolver` is a client. `data_plane` wires them to the state that `local.patches.route53` reads.

Emulated is what this project deploys. Anything else is refused by the API (`record_api`,
`health.api`); what an older state still holds is answered with SERVFAIL, and the log says so.
"""
