"""Spans of OpenTelemetry: what the SDK says to it, and when."""
