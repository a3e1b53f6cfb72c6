"""Our own API of rule chains and dead letters."""
