"""Nodes that lead messages from chain to chain and queue to queue."""
