"""What AWS's services record of each request, and what looks at it.

    metrics/   data points on their way in, series, statistics, and each service's own metrics
    alarms/    when an alarm goes off
    logs/      access logs, log groups, queries, what is kept over a restart
    traces/    X-Ray: its API, its daemon, what the gateway and the function send to it
    records    what is known of a request once it has been answered
    service    all of it, put in place

AWS/Route53 is written by `local.route53`. Names, dimensions and units are AWS's. Data points are
there at once, where AWS takes a minute or more, and gone with the process; log events stay.

Not emulated: metrics of throttling that never happens here (DynamoDB's, Cognito's), of errors
that belong to AWS (a regional endpoint that fails), of caches, of batches and transactions;
capacity that a replicated write takes in the other Region; AWS/Usage, AWS/Billing, AWS/States and
whatever has no module in `metrics`; execution logs of the gateway, logs of web ACLs; in the edge's
log TLS, port and cookie of the viewer.
"""
