"""One file a command; each only calls the package of its name."""
