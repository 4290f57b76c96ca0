"""A trouble is told once when it begins and once when it ends: a log that repeats itself is not read."""

import logging
from collections.abc import Callable

from core.errors import TrialCpaError


class Trouble:
    """One thing that may go wrong for a while. Whoever watches it is one thread.

    Args:
        log: where it is told.
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._told = ""

    @property
    def present(self) -> bool:
        """Whether it has begun and not ended."""
        return bool(self._told)

    def begins(self, sentence: str, level: int = logging.WARNING, error: BaseException | None = None) -> None:
        """Tell that it is there, or that it has become another one; nothing if that has been told.

        Args:
            sentence: what is wrong, the same as long as the same is wrong.
            level: of the log.
            error: what nobody foresaw; the log gets its traceback.
        """
        if sentence != self._told:
            self._told = sentence
            self._log.log(level, "%s", sentence, exc_info=error)

    def ends(self, sentence: str) -> None:
        """Tell that it is over; nothing if it was not there.

        Args:
            sentence: what is right again.
        """
        if self._told:
            self._told = ""
            self._log.warning("%s", sentence)


def tried(step: Callable[[], None], trouble: Trouble, words: str, *, over: str) -> bool:
    """Do something that a thread does again and again, whatever it raises; return whether it was done.

    Args:
        step: what is done.
        trouble: what is told when it cannot be.
        words: what that means, the beginning of a sentence.
        over: what is right again when it was done; a sentence.
    """
    try:
        step()
    except Exception as error:  # noqa: BLE001 - whatever it is, the thread lives on
        if isinstance(error, TrialCpaError):
            trouble.begins(f"{words}: {error}")
        else:
            trouble.begins(f"{words}: {type(error).__name__}", logging.ERROR, error)
        return False
    trouble.ends(over)
    return True
