"""Scripts that users write, run in a jail."""
