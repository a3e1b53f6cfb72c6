"""Management commands of the transports."""
