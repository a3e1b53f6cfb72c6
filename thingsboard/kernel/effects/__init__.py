"""Stored work outside of the database: kept with the COMMIT that wants it, claimed by who does it, ended by a continuation.

A row is in the table until what becomes of its message is in the queue, in the same transaction: so there is one continuation,
however often a worker died and the work was begun again (architecture.md 5, docs/decisions/0035).
"""

from thingsboard.kernel.effects.claims import Claim, Claimed, Waiting, claim, look, put_off, release, renew
from thingsboard.kernel.effects.finish import Finished, Result, Unreadable, finish
from thingsboard.kernel.effects.kicks import kick
from thingsboard.kernel.effects.store import Effect, append, key_of

__all__ = [
    "Claim",
    "Claimed",
    "Effect",
    "Finished",
    "Result",
    "Unreadable",
    "Waiting",
    "append",
    "claim",
    "finish",
    "key_of",
    "kick",
    "look",
    "put_off",
    "release",
    "renew",
]
