"""Scripts of users, run in a jailed process: JavaScript in QuickJS, and TBEL translated to it. Nothing of a script is ever
run in the process that asks.
"""

from .jail import Jail
from .process import Limits, Unavailable
from .program import JS, TBEL, Answer, Program

__all__ = ["JS", "TBEL", "Answer", "Jail", "Limits", "Program", "Unavailable"]
