"""Our own API of rule chains."""
