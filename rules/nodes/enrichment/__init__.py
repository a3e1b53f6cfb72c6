"""Nodes that add to a message what is known elsewhere."""
