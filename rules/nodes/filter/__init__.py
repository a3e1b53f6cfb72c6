"""Nodes that decide where a message goes."""
