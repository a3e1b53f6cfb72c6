"""The one error of the embedded servers."""


class EmbeddedError(Exception):
    """A server cannot run here; the message is one line that says why and what to do about it."""
