"""The offline verifier on what ca/ really signs, side by side with openssl: two readers, one story."""

from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ca.revocation import crl
from core.approval import Device, RevocationReason
from core.identifiers import new_serial
from core.status import Revoked
from tests.authority_world import AT, EXPIRY, START, clearance, make_world, pem, pem_crl, run, the_world, write
from verify.kit.evidence.offline import prove
from verify.kit.evidence.verdict import Code, Verdict
from verify.kit.status import State

W = the_world()
SECOND = timedelta(seconds=1)
NOW = datetime(2027, 2, 1, 10, tzinfo=AT.tzinfo)
END = NOW - SECOND
AFTER = EXPIRY + SECOND


def verdict(leaf: bytes, lists: list[bytes], answer: bytes | None, at: datetime) -> Verdict:
    return prove(
        leaf,
        anchor=pem(W.root),
        issuers=[pem(W.issuing, W.root)],
        crls=lists,
        ocsp=answer,
        at=at,
        environment="test",
        arc=W.profile.arc,
    )


CASES = [
    ("active", NOW, None, State.ACTIVE),
    # OpenSSL 3.0 takes notAfter itself for expired; RFC 5280 (4.1.2.5) has it as the last valid second.
    ("the last second but one", EXPIRY - SECOND, None, State.ACTIVE),
    ("revoked", NOW, (END, RevocationReason.PRIVILEGE_WITHDRAWN), State.CANCELLED),
    ("compromised", NOW, (END, RevocationReason.KEY_COMPROMISE), State.CANCELLED),
    ("withdrawn", NOW, (END, RevocationReason.CESSATION_OF_OPERATION), State.WITHDRAWN),
    ("expired and listed", AFTER, (AFTER, RevocationReason.CESSATION_OF_OPERATION), State.EXPIRED),
]


@pytest.mark.clause("F2.25")
@pytest.mark.clause("F2.31")
@pytest.mark.parametrize(("at", "end", "state"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_offline_verifier_and_openssl_tell_the_same_of_what_is_signed(
    tmp_path: Path, at: datetime, end: tuple[datetime, RevocationReason] | None, state: State
) -> None:
    serial = new_serial()
    leaf = W.leaf(serial=serial)
    revoked = Revoked(serial, *end) if end else None
    times = {"this_update": at, "next_update": at + timedelta(hours=48)}
    own = W.full_crl([revoked] if revoked else [], **times)
    root_list = root_crl(at)
    # The default world's responder lives thirty days; there is none for the end of the trial.
    answer = W.answer(serial, revoked, this_update=at, next_update=at + timedelta(hours=12)) if at == NOW else None
    found = verdict(leaf, [own, root_list], answer, at)
    assert (found.state, found.proved, found.valid) == (state, True, state is State.ACTIVE), found.failures
    write(tmp_path, **{"leaf.pem": pem(leaf), "issuing.pem": pem(W.issuing), "root.pem": pem(W.root)})
    write(tmp_path, **{"lists.pem": pem_crl(own) + pem_crl(root_list)})
    command = f"openssl verify -x509_strict -crl_check_all -attime {int(at.timestamp())} -CAfile root.pem"
    code, said = run(tmp_path, *command.split(), "-untrusted", "issuing.pem", "-CRLfile", "lists.pem", "leaf.pem")
    assert (code == 0) == found.valid, said
    assert found.valid or "error 23" in said


def root_crl(at: datetime) -> bytes:
    facts = {"issuer_der": W.root, "expired_certs_on_crl": None}
    drafted = crl.draft(W.crl_order((), this_update=at, next_update=at + timedelta(days=365), **facts))
    return crl.sign(drafted, clearance(drafted), W.root_key, W.root)


def test_what_is_signed_to_the_limits_is_read() -> None:
    device = Device("HCALCS", "M" * 30, "O" * 30, "H" * 30)
    name = Device("ESME", "Zähler", "ü" * 20, "é" * 14)  # 42 characters, 77 octets
    for approved in (device, name):
        leaf = W.leaf(device=approved)
        found = verdict(leaf, [W.full_crl(this_update=NOW, next_update=NOW + SECOND), root_crl(NOW)], None, NOW)
        assert (found.valid, found.statement and asdict(found.statement.device)) == (True, asdict(approved)), (
            found.failures
        )


def test_a_certificate_of_another_root_with_the_same_names_is_not_genuine() -> None:

    stranger = make_world()
    found = verdict(stranger.leaf(), [stranger.full_crl(), root_crl(NOW)], None, NOW)
    assert (found.genuine, found.state) == (False, State.UNKNOWN)
    assert Code.ISSUER_NOT_FOUND in found.codes


def test_before_the_start_it_is_proved_and_not_valid() -> None:
    serial = new_serial()
    at = START - SECOND
    lists = [W.full_crl(this_update=at, next_update=at + SECOND), root_crl(at)]
    answer = W.answer(serial, this_update=at, next_update=at + SECOND)
    found = verdict(W.leaf(serial=serial), lists, answer, at)
    assert (found.state, set(found.codes)) == (State.NOT_YET_STARTED, {Code.NOT_YET_STARTED})
