"""Our own API of devices and their profiles."""
