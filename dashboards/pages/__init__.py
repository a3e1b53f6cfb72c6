"""Pages for people: signing in, the list of devices, one device live (docs/decisions/0024)."""
