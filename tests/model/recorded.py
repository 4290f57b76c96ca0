"""Every answer that was given during a run, and what is said of its instant later: the same, but within the very second
in which something was recorded.

Instants are whole seconds, and an act holds from its commit: within that second people were told both. Nothing else may
change what is said of the past: no turn of the clock, no restart, no later act.
"""

import base64
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.x509 import ocsp

from core.approval import ApprovalRecord
from core.canonical import canonical
from core.identifiers import Serial
from core.instants import text
from tests.channels_world import Proof

SAID = ("valid", "state", "codes", "deemed_cpa_certificate", "approval", "issue", "serial", "not_before", "not_after",
        "device", "pending")  # fmt: skip
"""What an answer says; until when it is fresh, and which of the signed proofs comes along, is not of its instant."""

Ask = Callable[[Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Given:
    """One answer."""

    at: datetime
    question: Mapping[str, Any]
    said: Mapping[str, Any]


class Recorded:
    """The answers of one run, whatever was started anew in it."""

    def __init__(self) -> None:
        self._given: dict[bytes, Given] = {}
        self._ocsp: dict[tuple[datetime, Serial, Proof], None] = {}
        self.reported: set[datetime] = set()
        """Seconds in which devices were reported."""
        self.counted: Counter[str] = Counter()

    def keep(self, at: datetime, question: Mapping[str, Any], said: Mapping[str, Any]) -> None:
        kept = {name: said[name] for name in SAID}
        self._given.setdefault(
            canonical({"at": text(at), "question": dict(question), "said": kept}), Given(at, question, kept)
        )

    def keep_ocsp(self, at: datetime, serial: Serial, said: Proof) -> None:
        self._ocsp.setdefault((at, serial, said))

    def ask_again(self, ask: Ask, register: Sequence[ApprovalRecord], most: int | None = None) -> None:
        """Ask again about the instant of each answer.

        Args:
            ask: how, with `at`.
            register: as it is now.
            most: so many of each kind only, evenly over the run; None for all of them.
        """
        seconds = recorded_in(register)
        for each in _some(list(self._given.values()), most):
            again = ask({**each.question, "at": text(each.at)})
            says = {name: again[name] for name in SAID}
            named = {each.said["approval"], says["approval"]}
            both = any(each.at in seconds[one] for one in named) or (
                "device_id" in each.question and each.at in self.reported
            )
            self.counted["both told" if both else "told"] += 1
            if again["codes"] == ["not-granted-then"] and each.said["codes"] == ["device-not-approved"]:
                continue  # the same no; what has been granted since says from when on to ask
            assert both or says == each.said, (text(each.at), each.question, each.said, says)
        for at, serial, proof in _some(list(self._ocsp), most):
            said = ask({"serial": serial, "at": text(at)})
            kept = None if said["ocsp"] is None else proof_in(said["ocsp"])
            if kept is None or proof.status == "try_later" or at in seconds[said["approval"]]:
                self.counted["not proved"] += 1
                continue
            self.counted["proved"] += 1
            assert kept == proof, (text(at), serial, proof, kept)


def proof_in(sent: str) -> Proof:
    """What the signed answer says that comes with one of verification."""
    said = ocsp.load_der_ocsp_response(base64.b64decode(sent))
    if said.certificate_status is ocsp.OCSPCertStatus.GOOD:
        return Proof("good")
    assert said.revocation_reason is not None
    return Proof("revoked", said.revocation_time_utc, said.revocation_reason.value)


def recorded_in(register: Sequence[ApprovalRecord]) -> Mapping[str | None, set[datetime]]:
    """In which seconds something was recorded of each approval: a change that begins, or an expiry, is none of them."""
    found: dict[str | None, set[datetime]] = defaultdict(set)
    for record in register:
        acts = [record.granted_at, record.ended_at]
        acts += [at for each in record.certificates for at in (each.signed_at, each.revoked_at)]
        found[record.identifier] = {at for at in acts if at is not None}
    return found


def _some(every: list[Any], most: int | None) -> list[Any]:
    return every if most is None else every[:: max(1, len(every) // most)]
