"""Nodes that talk to others outside of the platform."""
