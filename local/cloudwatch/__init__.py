"""What CloudWatch computes and ministack doesn't: statistics, metric math, alarm states."""
