"""Runs batches of messages through compiled chains (architecture.md 5)."""
