"""An alarm with metric math: the share of errors among enough requests."""

from typing import Any

MATH: list[dict[str, Any]] = [
    {
        "Id": name,
        "MetricStat": {
            "Metric": {"Namespace": "N", "MetricName": name},
            "Period": 300,
            "Stat": "Sum",
        },
        "ReturnData": False,
    }
    for name in ("errors", "requests")
]
RATE = {"Id": "rate", "Expression": "IF(requests >= 20, errors / requests, 0)", "Label": "rate"}
DEFINITION: dict[str, Any] = {
    "AlarmName": "errors",
    "EvaluationPeriods": 1,
    "Threshold": 0.1,
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "notBreaching",
}
