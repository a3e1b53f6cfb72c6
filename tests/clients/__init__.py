"""The official clients, unmodified, each in a virtual environment of its own: their packages exclude each other."""
