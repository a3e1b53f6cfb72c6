"""Nodes that change what a message says or whose it is."""
