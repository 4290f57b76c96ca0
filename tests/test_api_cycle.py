"""The cycle over HTTP: apply, propose, second, fetch, end; idempotency; what each channel says afterwards."""

import base64
import hashlib
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from tests.api_world import Api, application, done, refused
from tests.dossier_world import dossier_of, root_of
from tests.world import World, csr_pem, keyring
from verify.kit.agreed.decision import prove_files
from verify.kit.agreed.dossier import trusted
from verify.kit.agreed.findings import Against


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


@pytest.mark.clause("F2.25")
def test_an_application_becomes_a_certificate_that_its_manufacturer_fetches(api: Api, tmp_path: Path) -> None:
    approval = api.granted()
    shown = done(api.ask("manufacturer", "GET", f"/v1/approvals/{approval}"))
    assert (shown["approval"], shown["state"]) == (approval, "not_yet_started")
    answer = api.ask("manufacturer", "GET", f"/v1/approvals/{approval}/certificate")
    assert answer.mimetype == "application/pem-certificate-chain"
    leaf, issuing, root = x509.load_pem_x509_certificates(answer.data)
    names = leaf.subject.get_attributes_for_oid(x509.NameOID.SERIAL_NUMBER)
    assert names[0].value == approval
    for name, each in (("root.pem", root), ("chain.pem", issuing), ("leaf.pem", leaf)):
        (tmp_path / name).write_bytes(each.public_bytes(Encoding.PEM))
    checked = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-no_check_time", "-CAfile", "root.pem", "-untrusted", "chain.pem",
         "leaf.pem"], cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr


def test_a_certificate_is_fetched_in_each_form_and_in_no_other(api: Api) -> None:
    approval = api.granted()
    serial = done(api.ask("dcc", "GET", f"/v1/approvals/{approval}"))["certificates"][0]["serial"]
    for path in (f"/v1/approvals/{approval}/certificate", f"/v1/certificates/{serial}"):
        pem = x509.load_pem_x509_certificates(api.ask("dcc", "GET", path, Accept="*/*").data)
        cer = api.ask("dcc", "GET", path, Accept="application/pkix-cert")
        assert (cer.mimetype, x509.load_der_x509_certificate(cer.data)) == ("application/pkix-cert", pem[0])
        for accept in ("application/pkcs7-mime", "application/pkcs7-mime; smime-type=certs-only"):
            p7c = api.ask("dcc", "GET", path, Accept=accept)
            assert p7c.content_type == "application/pkcs7-mime; smime-type=certs-only"
            assert set(pkcs7.load_der_pkcs7_certificates(p7c.data)) == set(pem)
        for accept in ("text/html", "application/pkcs7-mime; smime-type=signed-data", "image/*;q=0.9"):
            refused(api.ask("dcc", "GET", path, Accept=accept), 406, "not-acceptable")
        best = api.ask(
            "dcc", "GET", path, Accept="application/pkix-cert;q=0.5, application/pem-certificate-chain;q=0.1"
        )
        assert best.mimetype == "application/pkix-cert"
        assert best.headers["Vary"] == "Accept"
        assert best.headers["Cache-Control"] == "no-store"


@pytest.mark.clause("F2.30")
def test_a_revocation_is_seen_at_once_by_whoever_made_it(api: Api) -> None:
    approval = api.granted()
    done(api.ask("dcc", "POST", "/v1/verify", {"approval": approval}))
    body = {"cause": "breach", "reasons": "The limit was exceeded."}
    ended = done(api.ask("officer-1", "POST", f"/v1/approvals/{approval.lower().replace('-', ' ')}/revocation", body))
    assert (ended["approval"], ended["cause"], len(ended["serials"])) == (approval, "breach", 1)
    # Nothing polls here: without the refresh after the write the old answer would still stand.
    assert done(api.ask("dcc", "POST", "/v1/verify", {"approval": approval}))["state"] == "cancelled"
    refused(api.ask("officer-2", "POST", f"/v1/approvals/{approval}/revocation", body), 409, "already-ended")


def test_a_write_stands_when_the_mirror_cannot_be_refreshed(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    approval = api.granted()

    def broken(_cursor: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(api.mirror._source, "changes", broken)
    body = {"cause": "ssc", "reasons": "It has to be."}
    done(api.ask("officer-1", "POST", f"/v1/approvals/{approval}/revocation", body))
    assert api.world.record(approval).ended_at is not None


def test_every_kind_of_decision_is_proposed_and_seconded(api: Api) -> None:
    refusal = api.proposed(kind="refuse", application=api.applied())
    done(api.ask("officer-2", "POST", f"/v1/decisions/{refusal}/second", api.second_body(refusal)))
    approval = api.granted()
    key = csr_pem(ec.generate_private_key(ec.SECP256R1())).decode()
    rekey = api.proposed(
        kind="rekey", approval=approval, csr=key, compromised=True, invalidity_date="2027-01-02T00:00:00Z"
    )
    api.settle()
    seconded = api.ask("officer-2", "POST", f"/v1/decisions/{rekey}/second", api.second_body(rekey))
    assert done(seconded)["state"] == "seconded"
    api.settle()
    withdraw = api.proposed(kind="withdraw", approval=approval)
    done(api.ask("officer-2", "POST", f"/v1/decisions/{withdraw}/second", api.second_body(withdraw)))
    assert done(api.ask("dcc", "GET", f"/v1/approvals/{approval}"))["end_cause"] == "manufacturer"
    other = api.granted(device={**application()["device"], "model": "OTHER"})
    revoke = api.proposed(kind="revoke", approval=other, cause="ssc")
    done(api.ask("officer-1", "POST", f"/v1/decisions/{revoke}/rejection", {"why": "Not needed after all."}))
    again = api.proposed(kind="revoke", approval=other, cause="ssc")
    done(api.ask("officer-2", "POST", f"/v1/decisions/{again}/second", api.second_body(again)))
    assert done(api.ask("dcc", "GET", f"/v1/approvals/{other}"))["end_cause"] == "ssc"
    listed = done(api.ask("auditor", "GET", "/v1/decisions"))["decisions"]
    assert sorted(each["kind"] for each in listed) == [
        *("grant", "grant", "refuse", "rekey", "revoke", "revoke", "withdraw")
    ]
    # Who agreed to each is proved by what anybody has who trusts the root and the journal's key.
    api.settle()
    trust = trusted(root_of(api.world), journal_key=keyring(api.world.folder).journal.public_key)
    for each in listed:
        found = prove_files(dossier_of(api, each["decision"]), trust)
        assert found.missing == [], each
        codes = [against.code for against in found.against]
        assert codes == ([Against.CAME_TO_NOTHING] if each["state"] == "rejected" else []), (each, found.against)


def test_another_digest_is_a_conflict_and_the_proposer_cannot_second(api: Api) -> None:
    decision = api.proposed(kind="grant", application=api.applied())
    api.settle()
    right = api.second_body(decision)
    path = f"/v1/decisions/{decision}/second"
    refused(api.ask("officer-1", "POST", path, right), 403, "same-person")
    for wrong in ({"proposal_sha256": "0" * 64}, {"tbs_sha256": "0" * 64}, {"tbs_sha256": None}):
        refused(api.ask("officer-2", "POST", path, right | wrong), 409, "digest-mismatch")
    done(api.ask("officer-2", "POST", path, right))
    refused(api.ask("officer-2", "POST", path, right), 409, "wrong-state")


def test_the_same_request_under_one_key_is_done_once_and_answered_alike(api: Api) -> None:
    body = application()
    first = api.ask("manufacturer", "POST", "/v1/applications", body, Idempotency_Key="k1")
    again = api.ask("manufacturer", "POST", "/v1/applications", body, Idempotency_Key="k1")
    assert (first.status_code, first.get_json()) == (again.status_code, again.get_json())
    assert first.headers["Location"] == again.headers["Location"]
    reordered = dict(reversed(body.items()))
    assert api.ask("manufacturer", "POST", "/v1/applications", reordered, Idempotency_Key="k1").status_code == 201
    assert len(done(api.ask("manufacturer", "GET", "/v1/applications"))["applications"]) == 1
    other = body | {"purpose": "Something else."}
    refused(
        api.ask("manufacturer", "POST", "/v1/applications", other, Idempotency_Key="k1"), 409, "idempotency-key-reused"
    )
    address = f"/v1/applications/{first.get_json()['application']}/cancellation"
    refused(api.ask("manufacturer", "POST", address, Idempotency_Key="k1"), 409, "idempotency-key-reused")
    for _ in range(2):
        assert done(api.ask("manufacturer", "POST", address, Idempotency_Key="k2"))["state"] == "cancelled"
    refused(api.ask("manufacturer", "POST", address, Idempotency_Key="k3"), 409, "wrong-state")
    # Without a body, the address alone makes it another request.
    elsewhere = f"/v1/applications/{api.applied()}/cancellation"
    refused(api.ask("manufacturer", "POST", elsewhere, Idempotency_Key="k2"), 409, "idempotency-key-reused")
    # Another's key of the same name is another key.
    body = application(csr=csr_pem().decode())
    assert api.ask("rival", "POST", "/v1/applications", body, Idempotency_Key="k1").status_code == 201


def test_lists_are_paged_by_cursor_without_gap_or_repetition(api: Api) -> None:
    made = sorted(api.applied() for _ in range(5))
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = done(api.ask("auditor", "GET", f"/v1/applications?limit=2&after={after}"))
        assert page["truncated"] is (page["next"] is not None)
        seen += [each["application"] for each in page["applications"]]
        after = page["next"]
    assert seen == made


def test_a_shown_application_is_what_was_sent(api: Api) -> None:
    sent = application(maximum_devices=7)
    answer = api.ask("manufacturer", "POST", "/v1/applications", sent)
    assert answer.status_code == 201
    shown = done(api.ask("manufacturer", "GET", answer.headers["Location"]))
    assert {name: shown[name] for name in sent if name != "csr"} == {n: v for n, v in sent.items() if n != "csr"}


def test_the_manufacturer_answers_a_certificate_once_and_the_first_answer_stands(api: Api) -> None:
    approval = api.granted()
    address = f"/v1/approvals/{approval}"
    serial = done(api.ask("officer-1", "GET", address))["certificates"][0]["serial"]
    answer = f"/v1/certificates/{serial}/acceptance"
    refused(api.ask("rival", "POST", answer, {"accepted": True}), 404, "not-found")
    refused(api.ask("officer-1", "POST", answer, {"accepted": True}), 403, "operation-not-permitted")
    refused(api.ask("manufacturer", "POST", answer, {"accepted": False}), 400, "body-malformed")
    refused(api.ask("manufacturer", "POST", "/v1/certificates/0A/acceptance", {"accepted": True}), 404, "not-found")
    assert done(api.ask("officer-1", "GET", address))["certificates"][0]["acceptance"] is None

    said = {"accepted": False, "reason": "It names another hardware version."}
    first = done(api.ask("manufacturer", "POST", answer, said, **{"Idempotency-Key": "one"}))
    assert (first["serial"], first["approval"], first["accepted"]) == (serial, approval, False)
    assert done(api.ask("manufacturer", "POST", answer, said, **{"Idempotency-Key": "one"})) == first
    refused(api.ask("manufacturer", "POST", answer, {"accepted": True}), 409, "wrong-state")
    shown = done(api.ask("officer-1", "GET", address))
    assert shown["certificates"][0]["acceptance"] == {"at": first["at"], **said}
    assert shown["state"] == "not_yet_started"  # a rejection ends nothing by itself


@pytest.mark.clause("F2.22")
def test_the_second_officer_sees_everything_that_will_be_true_and_can_check_the_bytes(api: Api) -> None:
    named = {"manufacturer": "AB01", "model": "010A030B"}
    held = [{**named, "scheme": scheme, "certificate": f"{scheme}-1"} for scheme in ("ZigBee", "DLMS")]
    earlier = {**named, "model": "010A0000", "certificate": "NCSC-1", "issued_on": "2020-01-01"}
    evidenced = api.applied(assurance=held, earlier_cpa=earlier)
    decision = api.proposed(kind="grant", application=evidenced, reasons="It looks sound.")
    api.settle()
    shown = done(api.ask("officer-2", "GET", f"/v1/decisions/{decision}"))
    assert shown["findings"] == []
    draft = shown["draft"]
    assert hashlib.sha256(base64.b64decode(draft["tbs"])).hexdigest() == draft["tbs_sha256"] == shown["tbs_sha256"]
    told = " ".join(draft["in_words"])
    said = shown["proposal"]
    for part in (said["approval"], said["not_after"], said["device"]["model"], said["firmware"][0]["image_sha256"]):
        assert part in told
    assert f"At most {said['maximum_devices']} devices" in told  # limit and firmware are public in the certificate
