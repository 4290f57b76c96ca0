"""The committee's own facts, a row at a time: nothing is taken back that was not said, and by nobody who may not.

Nothing of approvals, certificates or decisions follows from them: the audit shows that no row contradicts another. The
words themselves are in no export; rows have their salted digests.
"""

from collections.abc import Callable, Mapping

from core.chain import SealedRow
from core.facts import FactKind
from verify.audit_findings import Findings
from verify.exported import Said
from verify.folded import Folded


class Committee:
    """Meetings, interests and comments, as far as the journal says them.

    Args:
        state: what follows from the rows before.
        findings: is told what is wrong.
    """

    def __init__(self, state: Folded, findings: Findings) -> None:
        self._state, self._findings = state, findings
        self._meetings: dict[str, bool] = {}
        self._attend: dict[str, str] = {}
        self._items: dict[str, str] = {}
        self._versions: dict[str, int] = {}
        self._interests: dict[str, str] = {}
        self._comments: dict[str, str] = {}
        self._by: Mapping[str, Callable[[SealedRow, Said], None]] = {
            FactKind.MEETING_CALLED.value: self._called,
            FactKind.MEETING_CANCELLED.value: self._cancelled,
            FactKind.ATTENDANCE_RECORDED.value: lambda row, said: self._begun(row, said, "attendance", self._attend),
            FactKind.ATTENDANCE_STRUCK.value: lambda row, said: self._ended(row, said, "attendance", self._attend),
            FactKind.AGENDA_PLACED.value: lambda row, said: self._begun(row, said, "item", self._items),
            FactKind.AGENDA_TAKEN_OFF.value: lambda row, said: self._ended(row, said, "item", self._items),
            FactKind.AGENDA_MINUTED.value: self._minuted,
            FactKind.INTEREST_DECLARED.value: lambda row, said: self._told(row, said, "interest", self._interests),
            FactKind.INTEREST_WITHDRAWN.value: lambda row, said: self._back(row, said, "interest", self._interests),
            FactKind.COMMENT_MADE.value: lambda row, said: self._told(row, said, "comment", self._comments, row.actor),
            FactKind.COMMENT_RETRACTED.value: lambda row, said: self._back(
                row, said, "comment", self._comments, row.actor
            ),
        }

    def take(self, row: SealedRow, said: Said) -> bool:
        """Take a row; return whether it is the committee's own."""
        handle = self._by.get(row.kind)
        if handle is not None:
            handle(row, said)
        return handle is not None

    # --- meetings ---------------------------------------------------------------------------------------------------

    def _called(self, row: SealedRow, said: Said) -> None:
        del said
        if str(row.subject) in self._meetings:
            self._against(row, f"Meeting {row.subject} was called before.")
        self._meetings[str(row.subject)] = True

    def _cancelled(self, row: SealedRow, said: Said) -> None:
        del said
        self._held(row)
        self._meetings[str(row.subject)] = False

    def _held(self, row: SealedRow) -> None:
        if not self._meetings.get(str(row.subject)) and not self._state.skipped:
            self._against(row, f"Meeting {row.subject} is not called, or cancelled.")

    def _begun(self, row: SealedRow, said: Said, what: str, standing: dict[str, str]) -> None:
        self._held(row)
        name = str(said[what])
        if name in standing:
            self._against(row, f"{name} was recorded before.")
        standing[name] = str(row.subject)

    def _ended(self, row: SealedRow, said: Said, what: str, standing: dict[str, str]) -> None:
        self._held(row)
        name = str(said[what])
        if standing.pop(name, None) != row.subject and not self._state.skipped:
            self._against(row, f"It takes back {name}, which does not stand.")

    def _minuted(self, row: SealedRow, said: Said) -> None:
        self._held(row)
        name, version = str(said["item"]), int(said["version"])
        if self._items.get(name) != row.subject and not self._state.skipped:
            self._against(row, f"It minutes {name}, which is not on that agenda.")
        if version != self._versions.get(name, 0) + 1 and not self._state.skipped:
            self._against(row, f"It is version {version} of what is minuted of {name}, and does not follow.")
        self._versions[name] = version

    # --- of applications --------------------------------------------------------------------------------------------

    def _told(self, row: SealedRow, said: Said, what: str, standing: dict[str, str], by: str = "") -> None:
        name = str(said[what])
        if row.subject not in self._state.applications and not self._state.skipped:
            self._against(row, f"It is of {row.subject}, which nobody applied with.")
        if name in standing:
            self._against(row, f"{name} was said before.")
        standing[name] = f"{row.subject} {by}"

    def _back(self, row: SealedRow, said: Said, what: str, standing: dict[str, str], by: str = "") -> None:
        name = str(said[what])
        if standing.get(name) != f"{row.subject} {by}" and not self._state.skipped:
            self._against(row, f"It takes back {name}, which does not stand, or is another's.")
        standing[name] = ""

    def _against(self, row: SealedRow, words: str) -> None:
        self._findings.against(f"row {row.number}", words)
