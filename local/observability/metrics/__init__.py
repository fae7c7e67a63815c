"""Data points, the series that they make, and what each of AWS's services measures.

recorder           data points on their way into CloudWatch
store              series from the data points that are there
statistics         Sum, p99 and the others
metric_math        expressions over series
queries            what GetMetricData and an alarm ask for
embedded_metrics   data points in log events
…_metrics          one AWS service each
"""
