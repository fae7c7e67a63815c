"""What AWS's services write about each request: metrics and access logs.

    records           what is known of a request once it has been answered
    gateway           a stage's record, and AWS/ApiGateway
    edge              AWS/CloudFront (the record is made in `local.edge`)
    web_acls          AWS/WAFV2
    functions         AWS/Lambda
    tables            AWS/DynamoDB
    sign_ins          AWS/Cognito
    log_groups        AWS/Logs, and how AWS's own services write log events
    access_logs       the stage's and the edge's access logs
    embedded_metrics  metrics in log events
    metrics           data points on their way into CloudWatch
    keeping           data points and log events over a restart
    service           all of it, put in place

AWS/Route53 is written by `local.dns`. Names, dimensions and units are AWS's. Data points are
there at once, where AWS takes a minute or more.

Not produced: metrics of throttling that never happens here (DynamoDB's, Cognito's), of errors
that belong to AWS (a door that fails), of caches, of batches and transactions; capacity that a
replicated write takes in the other Region; AWS/Usage, AWS/Billing, AWS/States and whatever the
list above has not; execution logs of the gateway, logs of web ACLs; in the edge's log TLS, port
and cookie of the viewer.
"""
