"""`check`, `decision` and the register's signature: their vectors are what they say."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests import kit_decision_vectors, kit_evidence_vectors, kit_register_vectors, kit_roster_vectors
from tests.kit_vectors import FOLDER
from verify.kit.canonical import read
from verify.kit.program import main
from verify.kit.vectors import judged

CHECKED: dict[str, tuple[bool, str, list[int]]] = {
    "good": (True, "active", []),
    "good-by-list-alone": (True, "active", []),
    "good-for-a-device": (True, "active", []),
    "first-second": (True, "active", []),
    "last-second": (True, "active", []),
    "revoked-by-list": (False, "cancelled", [28]),
    "revoked-by-list-and-answer": (False, "cancelled", [28]),
    "revoked-by-answer": (False, "cancelled", [28]),
    "withdrawn": (False, "withdrawn", [28]),
    "before-it-was-revoked": (True, "active", []),
    "not-yet-valid": (False, "not_yet_started", [28]),
    "expired": (False, "expired", [28]),
    "another-device": (False, "active", [24]),
    "another-firmware": (False, "active", [24]),
    "wrong-signature": (False, "unknown", [22]),
    "another-root": (False, "unknown", [22]),
    "without-issuer": (False, "unknown", [22]),
    "critical-extension": (False, "unknown", [23]),
    "of-a-live-authority": (False, "unknown", [22, 23, 26]),
    "statement-contradicts": (False, "unknown", [24]),
    "without-list": (False, "unknown", [25]),
    "list-stale": (False, "unknown", [25]),
    "list-of-another-issuer": (False, "unknown", [25]),
    "list-signed-by-another": (False, "unknown", [25]),
    "list-is-a-delta": (False, "unknown", [25]),
    "list-has-a-critical-extension": (False, "unknown", [25]),
    "list-without-number": (False, "unknown", [25]),
    "answer-stale": (False, "unknown", [26]),
    "answer-signed-by-another": (False, "unknown", [26]),
    "answer-by-a-stranger": (False, "unknown", [26]),
    "answer-by-the-issuing-ca": (False, "unknown", [26]),
    "answer-about-another": (False, "unknown", [26]),
    "answer-contradicts-list": (False, "cancelled", [26, 28]),
    "issuing-ca-revoked": (False, "unknown", [27]),
    "without-list-of-the-root": (False, "unknown", [27]),
}
DECIDED: dict[str, tuple[str, list[str]]] = {
    "agreed": ("proved", []),
    "by-another-key": ("refuted", ["officers-wanting", "statement-refused"]),
    "by-one-officer-twice": ("refuted", ["officer-twice", "officers-wanting"]),
    "by-nobody-on-the-roster": ("refuted", ["officers-wanting", "statement-refused"]),
    "rejected": ("refuted", ["came-to-nothing"]),
    "other-proposal": ("refuted", ["certificate-altered", "officers-wanting", "proposal-altered"]),
    "other-journal-key": ("refuted", ["journal-broken"]),
    "without-its-statements": ("undecided", ["part-missing", "statement-missing"]),
    "without-its-certificate": ("undecided", ["certificate-missing"]),
    "other-certificate": ("refuted", ["certificate-altered", "certificate-foreign"]),
    "by-a-passkey": ("proved", []),
    "by-passkeys-alone": ("refuted", ["officers-wanting"]),
    "by-a-passkey-of-another-page": ("refuted", ["officers-wanting", "statement-refused"]),
    "by-a-passkey-that-verified-nobody": ("refuted", ["officers-wanting", "statement-refused"]),
    "one-of-several": ("proved", []),
    "not-among-several": ("refuted", ["officers-wanting", "statement-refused"]),
    "by-a-changed-roster": ("proved", []),
    "by-a-roster-that-one-officer-changed": ("refuted", ["officers-wanting", "roster-unproved"]),
    "by-a-roster-of-another-order": ("refuted", ["officers-wanting", "roster-unproved"]),
    "by-a-roster-of-the-root": ("proved", []),
    "by-a-roster-that-the-root-did-not-sign": ("refuted", ["officers-wanting", "roster-unproved"]),
    "alone": ("proved", []),
    "alone-for-another-cause": ("refuted", ["consequence-strange"]),
}
REGISTERED: dict[str, dict[str, Any]] = {
    "signed": {"signed_at": "2027-02-01T11:00:00Z"},
    "of-another-size": {"check": 2},
    "not-canonical": {"check": 1},
    "signer-altered": {"check": 2},
    "signer-with-another-usage": {"check": 2},
    "signer-not-valid-then": {"check": 2},
    "under-another-root": {"check": 2},
}
VERDICTS: dict[str, dict[str, Any]] = {
    **{f"check-{name}": {"valid": one, "state": state, "checks": each} for name, (one, state, each) in CHECKED.items()},
    **{f"decision-{name}": {"outcome": outcome, "codes": codes} for name, (outcome, codes) in DECIDED.items()},
    **{f"register-{name}": said for name, said in REGISTERED.items()},
}
VECTORS = {
    file.stem: read(file.read_bytes())
    for kind in ("check", "decision", "register")
    for file in FOLDER.glob(f"{kind}-*.json")
}


def test_the_vectors_are_those_that_are_made_and_their_verdicts_are_written_here_by_hand() -> None:
    every = (kit_evidence_vectors, kit_decision_vectors, kit_register_vectors, kit_roster_vectors)
    made = {name: each for one in every for name, each in one.made().items()}
    assert {name: {"name": name, **each, "verdict": VERDICTS[name]} for name, each in made.items()} == VECTORS
    assert {name: judged(vector) for name, vector in VECTORS.items()} == VERDICTS


def test_the_kit_checks_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evidence = VECTORS["check-good-for-a-device"]["evidence"]
    names = {"root": evidence["root"], "leaf": evidence["certificate"], "ocsp": evidence["ocsp"]}
    names |= {"issuer": evidence["issuers"][0], "ca": evidence["lists"][0], "roots": evidence["lists"][1]}
    file = {name: str(tmp_path / name) for name in names}
    for name, said in names.items():
        Path(file[name]).write_bytes(base64.b64decode(said))
    words = ["check", file["leaf"], "--root", file["root"], "--issuer", file["issuer"], "--ocsp", file["ocsp"]]
    words += ["--at", "2027-02-01T10:00:00Z"]
    lists = ["--list", file["ca"], "--list", file["roots"]]
    device = ["--device", json.dumps(kit_evidence_vectors.DEVICE)]
    for typed, status, part in (
        ([*words, *lists, *device, "--test"], 0, "TDT-2027-0042-5: active, proved"),
        ([*words, *lists, "--test", "--json"], 0, '"valid": true'),
        ([*words, *lists, "--test", "--device", '{"manufacturer": "AB01", "model": "0"}'], 1, "check 24  The model is"),
        ([*words, *lists], 1, "[environment-mixed]"),
        ([*words, "--list", file["roots"], "--test"], 2, "check 25  The issuing CA's list is missing"),
        ([*words, *lists, "--test", "--at", "2027-02-09T10:00:00Z"], 2, "[crl-not-current]"),
        ([*words, *lists, "--test", "--device", "[]"], 2, ""),
        ([*words, *lists, "--test", "--device", '{"model": "0"}'], 2, ""),
        (["check", file["ca"], "--root", file["root"]], 1, "[certificate-malformed]"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(typed)
        assert (ended.value.code, part in capsys.readouterr().out) == (status, True), typed


def test_the_kit_takes_a_chain_and_all_lists_of_a_file_and_says_what_it_wants(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def pem(kind: str, *parts: str) -> str:
        return "".join(f"-----BEGIN {kind}-----\n{each}\n-----END {kind}-----\n" for each in parts)

    evidence = VECTORS["check-good-for-a-device"]["evidence"]
    chain, lists = tmp_path / "chain.pem", tmp_path / "lists.pem"
    chain.write_text(pem("CERTIFICATE", evidence["certificate"], *evidence["issuers"], evidence["root"]))
    lists.write_text(f"of today:\n{pem('X509 CRL', *evidence['lists'])}")
    (tmp_path / "root").write_bytes(base64.b64decode(evidence["root"]))
    words = ["check", str(chain), "--root", str(tmp_path / "root"), "--list", str(lists), "--test"]
    there = [*words, "--at", "2027-02-01T10:00:00Z"]

    def ran(*typed: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(typed)
        told = capsys.readouterr()
        return int(str(ended.value.code)), told.out, told.err

    assert ran(*there)[:2] == (0, "The certificate of TDT-2027-0042-5: active, proved.\n")
    code, out, _ = ran(*there, "--device", '{"manufacturer": "AB01", "model": "0"}')
    assert (code, out.startswith("Not for this device: ")) == (1, True)
    code, out, error = ran(*there, "--device", "AB01")
    assert (code, out, "--device is JSON" in error) == (2, "", True)
    for at in ("2026-11-30", "2026-13-30T10:00:00Z"):
        code, out, error = ran(*words, "--at", at)
        assert (code, out) == (2, "")
        assert f"{at!r} is no instant: one is written 2027-06-30T23:59:59Z, in UTC" in error
    absent = str(tmp_path / "absent")
    assert ran(*there, "--list", absent) == (2, "", f"trialcpa-verify: there is no file {absent!r}\n")
    assert "cannot be used" in ran(*there, "--list", str(tmp_path))[2]
    lists.write_text(lists.read_text()[:-200])  # what is cut short is told of, and not passed over
    code, out, _ = ran(*there, "--json")
    assert (code, "crl-malformed" in out) == (1, True)
