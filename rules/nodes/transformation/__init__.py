"""Nodes of the family TRANSFORMATION."""
