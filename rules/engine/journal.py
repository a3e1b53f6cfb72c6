"""What a batch wanted of what waits, so that it can be undone: when a node fails in the middle of its messages."""

from collections.abc import Callable


class Journal:
    """Deeds in their order, each with how to undo it."""

    def __init__(self) -> None:
        self._undoing: list[Callable[[], object]] = []

    def note(self, undo: Callable[[], object]) -> None:
        """Something was done; `undo` takes it back, after everything that was done later has been."""
        self._undoing.append(undo)

    def mark(self) -> int:
        """How far it got."""
        return len(self._undoing)

    def undo(self, mark: int) -> None:
        """Go back there."""
        while len(self._undoing) > mark:
            self._undoing.pop()()

    def clear(self) -> None:
        """Nothing is left to undo: it was written, or forgotten."""
        self._undoing.clear()
