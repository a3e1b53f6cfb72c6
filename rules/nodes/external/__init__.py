"""Nodes of the family EXTERNAL."""
