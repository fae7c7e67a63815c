"""X-Ray, which ministack has none of: its API, its daemon, and what AWS's services send to it.

    api         X-Ray's operations
    traces      the segments that were put, and the traces that they make
    sampling    sampling rules, which decide what is traced
    header      the tracing header, which carries that decision along
    segments    what API Gateway and Lambda say of a request
    daemon      the UDP port that a function's SDK sends to

Where the two decide, and send their segments: `local.patches.traced_requests`. Pages are those of
docs.aws.amazon.com/xray/latest/devguide/<page>.html, unless they say otherwise.
"""
