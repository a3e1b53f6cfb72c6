"""How far something got that did not get through."""


class NotSent(Exception):
    """No byte of it left, or the other side said "not now": it can be sent again."""


class Interrupted(Exception):
    """It was sent, or a part of it, and nobody knows what became of it."""


class Lost(ConnectionError):
    """The connection is gone, and with it the word of what became of what was sent. Nothing more goes over it."""


class TooLarge(ValueError):
    """The answer is longer than it may be."""
