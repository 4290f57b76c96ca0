"""proofs: what proves who agreed to a decision, as the files that `trialcpa-verify decision` reads.

Written here, read in verify/, which doubts what it reads: the two share no code, and tests/test_dossier.py has the
one read what the other wrote.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from core.canonical import Json, canonical
from ra.deciding.views import DecisionAnswer, DecisionAuthorisations, DecisionJournal, JournalStretch
from ra.ordering.views import OrderAnswer
from ra.roster import RosterAnswer, RosterNumberAnswer
from ra.views import document

LOG = "log.json"
"""The part that proves what the public log says of the approval."""


def decision_files(
    said: DecisionAnswer,
    signed: DecisionAuthorisations,
    roster: RosterAnswer | None,
    journal: DecisionJournal,
    orders: Sequence[OrderAnswer],
) -> dict[str, bytes]:
    """Return the files of a decision's dossier by name, but for its certificate.

    Args:
        said: the decision.
        signed: what officers signed for it and for the rosters by which it counts.
        roster: all that there were; None where officers have none.
        journal: what it says of the decision.
        orders: those by which the roster was changed.
    """
    history = () if roster is None else roster.history
    return {
        "decision.json": written({"decision": said.decision}),
        "proposal.json": canonical(said.proposal),
        "authorisations.json": written(document(signed)["authorisations"]),
        "rosters.json": written([{"number": each.number, "members": _members(each)} for each in history]),
        "orders.json": written([{"body": canonical(each.body).decode()} for each in orders]),
        "journal.jsonl": journal_lines(journal.journal, bytes.fromhex(journal.public_key), journal.stretches),
    }


def journal_lines(name: str, public_key: bytes, stretches: Iterable[JournalStretch]) -> bytes:
    """Return stretches of the journal with their heads, one JSON object a line.

    Args:
        name: the journal's.
        public_key: its key: SubjectPublicKeyInfo, DER.
        stretches: in order.
    """
    every = list(stretches)
    said = [{"journal": name, "key": base64.b64encode(public_key).decode()}, *_rows(every), *_heads(every)]
    return "".join(f"{json.dumps(each)}\n" for each in said).encode("ascii")


def written(said: object) -> bytes:
    """Return JSON as it stands in a file: in ASCII, a member a line."""
    return json.dumps(said, indent=1).encode("ascii") + b"\n"


def _rows(stretches: Sequence[JournalStretch]) -> Iterator[Mapping[str, Json]]:
    for stretch in stretches:
        if stretch.rows[0].row.number != 1:
            yield {"before": stretch.before}
        for each in stretch.rows:
            yield document(each)


def _heads(stretches: Sequence[JournalStretch]) -> Iterator[Mapping[str, Json]]:
    for each in stretches:
        yield {"head": each.head.number, "link": each.head.link, "signature": each.head.signature}


def _members(each: RosterNumberAnswer) -> list[object]:
    return [one.member().document() for one in each.members]
