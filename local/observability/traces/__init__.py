"""X-Ray, which ministack has none of: its API, its daemon, and what AWS's services send to it.

    api         X-Ray's operations, as ministack serves them
    traces      the segments that were put, and the traces that they make
    sampling    sampling rules, which decide what is traced
    header      the tracing header, which carries that decision along
    segments    what API Gateway and Lambda say of a request
    services    where they decide and say it
    daemon      the UDP port that a function's SDK sends to

Pages are those of docs.aws.amazon.com/xray/latest/devguide/<page>.html, unless they say otherwise.
"""
