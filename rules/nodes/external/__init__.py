"""Nodes whose work is done by other services."""
