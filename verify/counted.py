"""Whose keys counted, and what officers signed, a row at a time: each act names a statement, and its proof is verified.

A statement stands before the rows that name it, a roster before the row that sets it. What is proved of a roster is
what a dossier proves of it (verify/kit/agreed/rosters.py).
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, replace

from cryptography import x509

from core.chain import SealedRow
from core.errors import TrialCpaError
from core.facts import FactKind
from core.instants import parse
from verify.audit_findings import Findings
from verify.exported import Said
from verify.kit.agreed.dossier import Dossier, Signed, Trusted
from verify.kit.agreed.findings import Ledger
from verify.kit.agreed.passkey import WANTING
from verify.kit.agreed.proof import Asked, prove
from verify.kit.agreed.roster import FEWEST, Unusable, read_members
from verify.kit.agreed.rosters import Rosters
from verify.kit.agreed.statements import Act, Claim, Refused, read_authorisation, read_listed
from verify.kit.canonical import read

_KEPT = 4_096
"""Statements that are held at once: those that 500 rows name."""


@dataclass(slots=True)
class _Access:
    """A credential: whose, since when, and when it was taken away and that was sealed."""

    name: str
    sealed_at: str
    revoked: tuple[str, str] | None = None


class Counted:
    """Rosters and statements.

    Args:
        trusted: root, and officers of the transcript; None until the export shows a root.
        findings: is told what is wrong.
    """

    def __init__(self, trusted: Trusted | None, findings: Findings) -> None:
        self._trusted, self._findings = trusted, findings
        self._statements = OrderedDict[str, Signed]()
        self._of_rosters: dict[str, Signed] = {}
        self._orders: dict[str, str] = {}
        self._members: dict[int, str] = {}
        self._sets: list[tuple[SealedRow, Said]] = []
        self._rosters: Rosters | None = None
        self._used = set[bytes]()
        self.by_key = True
        """Whether what was proved last was signed by a key in a file or a token, and not by a passkey."""
        self._access: dict[str, _Access] = {}

    def root(self, root: x509.Certificate) -> None:
        """Take the root that the export shows, where none was handed in."""
        if self._trusted is None:
            self._trusted = Trusted(root=root)
            if self._sets:  # the ceremony sets the first roster before it has a root
                self._prove_newest()

    @property
    def begun(self) -> bool:
        """Whether officers sign for what they do."""
        return bool(self._sets)

    # --- what stands before a row -----------------------------------------------------------------------------------

    def statement(self, line: Said) -> None:
        """Take what an officer signed; nothing of it is proved yet, and what is none is there for nobody."""
        try:
            statement, members = read(str(line["statement"]).encode()), line.get("members")
            key = statement.get("key") if isinstance(statement, dict) else None
            said = read_authorisation({"statement": statement, "key": key, "proof": line["proof"]})
            listed = () if members is None else read_listed(read(str(members).encode()))
        except (Refused, ValueError, KeyError):
            return
        self._statements[said.sha256] = signed = Signed(authorisation=said, members=listed)
        if said.claim.act is Act.CHANGE_ROSTER:
            self._of_rosters[said.sha256] = signed
        while len(self._statements) > _KEPT:
            self._statements.popitem(last=False)

    def order(self, body: str) -> str:
        """Take the body of an order; return its digest."""
        digest = hashlib.sha256(body.encode()).hexdigest()
        self._orders[digest] = body
        return digest

    def members(self, number: int, members: str) -> None:
        """Take the members of a roster."""
        self._members[number] = members

    # --- rows -------------------------------------------------------------------------------------------------------

    def access(self, row: SealedRow, said: Said) -> None:
        """Take the row that gives somebody access, or takes it away."""
        credential = str(row.subject)
        if row.kind == FactKind.ACCESS_GRANTED:
            self._access.setdefault(credential, _Access(name=str(said.get("name")), sealed_at=row.sealed_at))
        elif credential in self._access:
            self._access[credential].revoked = self._access[credential].revoked or (row.at, row.sealed_at)

    def _may(self, row: SealedRow, said: Said) -> bool:
        """Return whether the credential that an act names was its officer's, and had not been taken away."""
        credential = said.get("credential")
        if not isinstance(credential, str):
            return True  # of before acts named one
        held = self._access.get(credential)
        if held is None or held.name != row.actor:
            why = "which no row gives them"
        elif held.revoked is not None and not (held.revoked[0] >= row.at and held.revoked[1] >= row.sealed_at):
            why = "which had been taken away"
        else:
            return True
        self._findings.against(f"row {row.number}", f"{row.actor} acts ({row.kind}) by credential {credential}, {why}.")
        return False

    def set(self, row: SealedRow, said: Said) -> None:
        """Take the row that sets a roster, and prove the roster."""
        self._sets.append((row, said))
        if self._trusted is not None:
            self._prove_newest()

    def _prove_newest(self) -> None:
        assert self._trusted is not None
        row, said = self._sets[-1]
        name, ledger, members = f"row {row.number}", Ledger(), {}
        for number, written in self._members.items():
            try:
                members[number] = read_members(read(written.encode()))
            except (Unusable, ValueError) as error:
                self._findings.against(f"rosters {number}", f"Its members cannot be read: {error}")
        dossier = Dossier(
            decision=None,
            proposal=None,
            certificates=(),
            authorisations=self._of_rosters,
            rosters=members,
            orders=self._orders,
            journal=None,
        )
        self._rosters = Rosters(dossier, self._trusted, self._sets, ledger)
        try:
            self._rosters.in_force(parse(str(said["effective_at"])))
        except (KeyError, TrialCpaError):
            self._findings.against(name, "It sets a roster and does not say from when.")
        self._findings.all_against(name, [each.detail for each in ledger.against])
        self._findings.all_against(name, [each.detail for each in ledger.missing])
        for detail in ledger.unchecked:
            self._findings.note(detail)

    def prove(self, row: SealedRow, said: Said, claim: Claim) -> bool:
        """Return whether an act counts: what its officer signed for it is proved, by a key that counted.

        Before anybody's key counted it is believed by its name.

        Args:
            row: the act.
            said: what it says.
            claim: what has to be signed for it.
        """
        if not self._may(row, said):
            return False
        named, name, self.by_key = said.get("authorisation"), f"row {row.number}", True
        sealed_at = parse(row.sealed_at)
        if not isinstance(named, str):
            if self._rosters is None or not self._rosters.asked(sealed_at):
                self._findings.note(
                    "Before officers had keys of their own, who agreed is what the journal says, and nothing that they "
                    "signed."
                )
                return True
            self._findings.against(name, f"{row.actor} acts ({row.kind}), and it names nothing that was signed.")
            return False
        if not self._signed(row, named, claim):
            return False
        used = self._statements[named]
        about = "" if not used.members else row.subject or ""
        once = hashlib.sha256(f"{named} {about}".encode()).digest()[:16]
        if once in self._used:
            self._findings.against(name, f"The statement {named[:16]}… that it names was used for another act.")
        self._used.add(once)
        return True

    def accepted(self, row: SealedRow, said: Said) -> None:
        """Take the row by which a restore was accepted: two officers signed for what was lost."""
        digests = said.get("authorisations")
        if not self.begun or not isinstance(digests, list):
            return
        restored = Claim(act=Act.ACCEPT_RESTORE, subject=str(said.get("difference_sha256")))
        officers, keyed = set(), False
        for each in digests:
            signed = self._statements.get(str(each))
            officer = "" if signed is None else signed.authorisation.officer
            if self._signed(replace(row, actor=officer), str(each), restored):
                officers.add(officer)
                keyed = keyed or self.by_key
        if len(officers) < FEWEST:
            self._findings.against(f"row {row.number}", "It accepts a restore for which two officers have not signed.")
        elif not keyed:
            self._findings.against(f"row {row.number}", f"It accepts a restore, and {WANTING}.")

    def _signed(self, row: SealedRow, named: str, claim: Claim) -> bool:
        name, signed = f"row {row.number}", self._statements.get(named)
        if signed is None:
            self._findings.against(name, f"What {row.actor} signed for it ({named[:16]}…) is not there.")
            return False
        self._statements.move_to_end(named)
        if self._rosters is None or self._trusted is None:
            self._findings.against(name, "It names what was signed, and no row before it says whose keys counted.")
            return False
        why = "no roster was in force"
        for roster in self._rosters.in_force(parse(row.sealed_at), within=True):
            asked = Asked(authority=self._trusted.authority, officer=row.actor, claim=claim, members=signed.members)
            try:
                prove(signed.authorisation, asked, roster, parse(row.at))
            except Refused as error:
                why = f"roster {roster.number}, {error.flaw}: {error.detail}"
            else:
                self.by_key = roster.with_a_key([signed.authorisation.key])
                return True
        self._findings.against(name, f"What {row.actor} signed for it does not count: {why}.")
        return False
