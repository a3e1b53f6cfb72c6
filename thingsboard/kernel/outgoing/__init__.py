"""Connections that the platform opens because somebody said where to: in bounded time, to the very address that was checked.

Whoever may write a URL into a configuration could otherwise have the platform talk to itself, to its neighbours and to the
metadata service of its cloud (server-side request forgery). Nobody of the platform connects on behalf of a user but by `Guard`.
"""

from thingsboard.kernel.outgoing.guard import Address, Allowed, Guard, Refused, Unreachable

__all__ = ["Address", "Allowed", "Guard", "Refused", "Unreachable"]
