"""Route 53's data plane for the embedded AWS: DNS answers and health checkers.

The rules (`routing`, `health_checks`) are pure and name the AWS page that each one comes from.
Around them stand the sockets: `dns_server` answers, `probe` and `checkers` ask, `stub_resolver` is
a client. `data_plane` is what the bench starts; only it and `ministack_state` know ministack.
"""
