"""How devices reach the platform: one package a protocol, and what they share."""
