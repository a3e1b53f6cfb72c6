"""The kinds of nodes: one file each, under its family."""
