"""Nodes that do something."""
