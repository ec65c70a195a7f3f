"""Tells others how runs went: metrics for Prometheus, pings for a dead man's switch."""
