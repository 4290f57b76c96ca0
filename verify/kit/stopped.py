"""Why a copy or a witness goes no further: whatever is wrong stops it, and what it had proved before stays."""

from enum import StrEnum


class Check(StrEnum):
    """What failed; stable. verify/README.md numbers them."""

    FORM = "form"
    SIGNATURE = "signature"
    ORIGIN = "origin"
    ORDER = "order"
    ROOT = "root"
    WENT_BACK = "went-back"
    TWO_HISTORIES = "two-histories"
    DOCUMENT = "document"
    WITNESSES = "witnesses"
    TOO_OLD = "too-old"
    UNREACHABLE = "unreachable"


class Stopped(Exception):
    """Something is wrong.

    Args:
        check: which check failed.
        detail: a sentence for people.
        under_root: whether it was checked under the root, and not by the log's key.
    """

    def __init__(self, check: Check, detail: str, *, under_root: bool = False) -> None:
        super().__init__(detail)
        self.check = check
        self.detail = detail
        self.under_root = under_root
