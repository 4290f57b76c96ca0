"""What is shown of interests and comments, to the SSC and whoever audits it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class InterestAnswer:
    """An interest that somebody has declared in an application. The authority counts none of them: whoever has one
    decides for themselves whether to take part.

    Args:
        officer: whose it is.
        declared_by: who recorded it.
        withdrawn_at: when it was withdrawn; null while it stands.
    """

    interest: str
    application: str
    officer: str
    text: str
    declared_at: datetime
    declared_by: str
    withdrawn_at: datetime | None
    withdrawn_by: str | None


@dataclass(frozen=True)
class InterestList:
    """The interests in an application, the oldest first, those that were withdrawn too."""

    interests: tuple[InterestAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class InterestDeclared:
    """An interest was declared, or withdrawn at `withdrawn_at`."""

    interest: str
    application: str
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class CommentAnswer:
    """What an officer said to the others of an application; it is kept from everybody outside the SSC.

    Args:
        retracted_at: when its author took it back; null while it stands. Its words stay on record.
    """

    comment: str
    text: str
    made_at: datetime
    made_by: str
    retracted_at: datetime | None


@dataclass(frozen=True)
class CommentList:
    """The comments on an application, the oldest first, those that were retracted too."""

    comments: tuple[CommentAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class CommentMade:
    """A comment was made, or retracted at `retracted_at`."""

    comment: str
    application: str
    retracted_at: datetime | None = None
