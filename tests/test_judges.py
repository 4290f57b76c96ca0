"""What stock clients say of an authority's certificate, lists and answers: good, or revoked, and nothing else.

OpenSSL and GnuTLS judge in many other tests. Here judge those that refused what an earlier release signed (mbed TLS,
NSS, rustls-webpki), which they still do, and Java and Go. Compilers are not asked of everybody: theirs are long.
"""

import calendar
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from ca import der as write
from ca.revocation import crl
from core.approval import RevocationReason
from core.identifiers import new_serial
from core.status import Revoked
from keys.signer import SoftwareSigner
from tests.authority_world import World, clearance, pem, run, the_world
from tests.judges import asking
from tests.lint_corpus.crls import IDP
from tests.profile_world import mended

NOW = datetime(2027, 1, 10, 10, 30, tzinfo=UTC)
"""Long after or before the day of whoever runs this: a judge that looked at another clock would refuse."""
SECONDS = str(calendar.timegm(NOW.timetuple()))
HOUR = timedelta(hours=1)


class Signed(NamedTuple):
    """What an authority has signed, and the folder in which the judges find it."""

    folder: Path
    world: World


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    """The default world: a certificate that is good, one that is revoked, lists and answers."""
    return _laid_out(tmp_path_factory.mktemp("now"), the_world())


def _laid_out(folder: Path, world: World) -> Signed:
    good, revoked = new_serial(), new_serial()
    end = Revoked(revoked, NOW - HOUR, RevocationReason.PRIVILEGE_WITHDRAWN)
    day = {"this_update": NOW - HOUR / 2, "next_update": NOW + 11 * HOUR}
    files = {
        "root.der": world.root,
        "issuing.der": world.issuing,
        "responder.der": world.responder,
        "good.der": world.leaf(serial=good),
        "revoked.der": world.leaf(serial=revoked),
        "issuing.crl": world.full_crl([end], **day),
        "root.crl": _root_crl(world),
    }
    for name in ("sha1", "sha256"):
        files[f"good.{name}.ocsp"] = world.answer(good, None, hash_name=name, **day)
        files[f"revoked.{name}.ocsp"] = world.answer(revoked, end, hash_name=name, **day)
    for name, octets in files.items():
        (folder / name).write_bytes(octets)
    return Signed(folder, world)


def _root_crl(world: World) -> bytes:
    facts = {"issuer_der": world.root, "expired_certs_on_crl": None}
    drafted = crl.draft(world.crl_order((), this_update=NOW - HOUR, next_update=NOW + timedelta(days=364), **facts))
    return crl.sign(drafted, clearance(drafted), world.root_key, world.root)


# --- what an earlier release signed ---


def _critical_policies(der: bytes, key: SoftwareSigner) -> bytes:
    """The same certificate with its policies critical, signed again."""
    policies = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(x509.CertificatePolicies)
    oid, value = policies.oid.dotted_string, policies.value.public_bytes()
    tbs = x509.load_der_x509_certificate(der).tbs_certificate_bytes
    return _again(tbs, write.extension(oid, value), write.extension(oid, value, critical=True), key)


def _with_point(world: World, der: bytes) -> bytes:
    """The same list with issuingDistributionPoint, critical, signed again."""
    point = write.explicit(0, write.explicit(0, write.uri(world.profile.crl_url(world.key_id))))
    number = write.extension("2.5.29.20", write.integer(7))
    more = number + write.extension(IDP, write.sequence(point), critical=True)
    return _again(x509.load_der_x509_crl(der).tbs_certlist_bytes, number, more, world.issuing_key)


def _again(tbs: bytes, old: bytes, new: bytes, key: SoftwareSigner) -> bytes:
    contents = tbs[2 + (tbs[1] & 0x7F if tbs[1] & 0x80 else 0) :]
    assert contents.count(old) == 1
    changed = write.sequence(mended(contents, old, new))
    return write.signed(changed, key.sign(changed))


def _old_issuing(folder: Path) -> Signed:
    world = the_world()
    return _laid_out(folder, replace(world, issuing=_critical_policies(world.issuing, world.root_key)))


def _old_certificate(folder: Path) -> Signed:
    made = _laid_out(folder, the_world())
    path = folder / "good.der"
    path.write_bytes(_critical_policies(path.read_bytes(), made.world.issuing_key))
    return made


def _old_list(folder: Path) -> Signed:
    made = _laid_out(folder, the_world())
    path = folder / "issuing.crl"
    path.write_bytes(_with_point(made.world, path.read_bytes()))
    return made


# --- the judges ---


def _mbed_tls(folder: Path, name: str) -> str:
    code, said = run(folder, sys.executable, str(asking.HERE / "mbed_tls.py"), ".", f"{name}.der", at=NOW)
    assert code == 0, said
    return said.strip()


def _webpki(folder: Path, name: str) -> str:
    """Built once from the lock file that lies beside it, and kept under build/."""
    built = asking.BUILT / "webpki"
    asking.have("cargo", "Rust's cargo")
    asking.built(asking.HERE / "webpki", "cargo", "build", "--quiet", "--locked", "--target-dir", str(built))
    return asking.ask(str(built / "debug" / "webpki-judge"), str(folder), f"{name}.der", SECONDS).strip()


def _java(folder: Path, name: str) -> dict[str, str]:
    """It asks with SHA-1, as stock clients do, and wants an answer that says so."""
    asking.have("java", "a JDK")
    return asking.lines(asking.ask("java", str(asking.HERE / "Judge.java"), str(folder), name, SECONDS))


def _go(folder: Path, name: str) -> dict[str, str]:
    asking.have("go", "Go")
    built = asking.BUILT / "go-judge"
    asking.built(asking.HERE / "go", "go", "build", "-o", str(built), ".")
    return asking.lines(asking.ask(str(built), str(folder), name, SECONDS))


def _nss(made: Signed, name: str) -> str:
    """Return the number or name of its error, or good. Certificates and lists come from a database of its own.

    It knows no usage like a Trial CPA statement, so it is shown the same certificate with one more that it does know.
    """
    folder = made.folder
    _nss_knows(folder)
    certificate = (folder / f"{name}.der").read_bytes()
    (folder / f"{name}.client.der").write_bytes(_for_clients(certificate, made.world.issuing_key))
    for each in ("root.crl", "issuing.crl"):
        _, said = run(folder, "crlutil", "-I", *_BASE, "-t", "1", "-i", each, at=NOW)
        if "unable to import" in said:
            return said.partition("unable to import CRL: ")[2].partition(":")[0]
    _, said = run(folder, "vfychain", *_BASE, "-u", SSL_CLIENT, f"{name}.client.der", at=NOW)
    return "good" if "Chain is good!" in said else said.partition("ERROR ")[2].partition(":")[0]


def _nss_asks(folder: Path, name: str) -> str:
    """Return what it says of an OCSP answer, which it fetches with a POST."""
    _nss_knows(folder)
    run(folder, "certutil", "-A", *_BASE, "-n", name, "-t", ",,", "-i", f"{name}.der", at=NOW)
    with _responder((folder / f"{name}.sha1.ocsp").read_bytes()) as location:
        _, said = run(folder, "ocspclnt", *_BASE, "-S", name, "-l", location, "-t", "issuing", at=NOW)
    return said.strip()


SSL_CLIENT = "0"
"""A usage as vfychain numbers them."""
_BASE = ("-d", "sql:nss")


def _nss_knows(folder: Path) -> None:
    """Make a database of certificates that trusts the root."""
    if (folder / "nss").exists():
        return
    (folder / "nss").mkdir()
    for command in (
        ("certutil", "-N", *_BASE, "--empty-password"),
        ("certutil", "-A", *_BASE, "-n", "root", "-t", "CT,C,C", "-i", "root.der"),
        ("certutil", "-A", *_BASE, "-n", "issuing", "-t", ",,", "-i", "issuing.der"),
    ):
        code, said = run(folder, *command, at=NOW)
        assert code == 0, said


@contextmanager
def _responder(answer: bytes) -> Iterator[str]:
    """A responder that has one answer for everybody, and its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "application/ocsp-response")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: object) -> None:
            del args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/ocsp"
        finally:
            server.shutdown()
            thread.join()


def _for_clients(der: bytes, key: SoftwareSigner) -> bytes:
    parsed = x509.load_der_x509_certificate(der)
    own = parsed.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    more = x509.ExtendedKeyUsage([*own.value, ExtendedKeyUsageOID.CLIENT_AUTH])
    old, new = (write.extension(own.oid.dotted_string, value.public_bytes()) for value in (own.value, more))
    return _again(parsed.tbs_certificate_bytes, old, new, key)


# --- their verdicts ---


@pytest.mark.parametrize(("ending", "accepted"), [(".2.2", True), (".2.1", False)], ids=["test", "live"])
def test_openssl_tells_test_from_live_where_it_is_asked_to(signed: Signed, ending: str, *, accepted: bool) -> None:
    """As docs/relying-parties.md has it: `-policy` alone is not enough."""
    for name, der in (("root", signed.world.root), ("issuing", signed.world.issuing)):
        (signed.folder / f"{name}.pem").write_bytes(pem(der))
    (signed.folder / "good.pem").write_bytes(pem((signed.folder / "good.der").read_bytes()))
    command = f"openssl verify -x509_strict -attime {SECONDS} -CAfile root.pem -untrusted issuing.pem"
    policy = ("-policy", f"{signed.world.profile.arc}{ending}")
    code, said = run(signed.folder, *command.split(), "-explicit_policy", *policy, "good.pem")
    assert (code == 0) == accepted, said
    code, said = run(signed.folder, *command.split(), *policy, "good.pem")
    assert code == 0, said


def test_mbed_tls_takes_certificate_and_lists(signed: Signed) -> None:
    assert _mbed_tls(signed.folder, "good") == "good"
    assert _mbed_tls(signed.folder, "revoked") == "The certificate has been revoked (is on a CRL)"


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (_old_issuing, "issuing.der cannot be read"),
        (_old_certificate, "good.der cannot be read"),
        (_old_list, "issuing.crl cannot be read"),
    ],
    ids=["issuing CA", "certificate", "list"],
)
def test_mbed_tls_still_refuses_what_an_earlier_release_signed(
    made: Callable[[Path], Signed], words: str, tmp_path: Path
) -> None:
    assert words in _mbed_tls(made(tmp_path).folder, "good")


def test_nss_takes_certificate_and_lists(signed: Signed) -> None:
    assert _nss(signed, "good") == "good"
    assert _nss(signed, "revoked") == "-8180"  # SEC_ERROR_REVOKED_CERTIFICATE


def test_nss_takes_answers(signed: Signed) -> None:
    assert _nss_asks(signed.folder, "good") == 'Check of certificate "good" succeeded.'
    assert "Peer's Certificate has been revoked." in _nss_asks(signed.folder, "revoked")


@pytest.mark.parametrize(
    ("made", "error"),
    [
        (_old_issuing, "-8151"),
        (_old_certificate, "-8151"),
        (_old_list, "SEC_ERROR_CRL_UNKNOWN_CRITICAL_EXTENSION"),
    ],
    ids=["issuing CA", "certificate", "list"],
)
def test_nss_still_refuses_what_an_earlier_release_signed(
    made: Callable[[Path], Signed], error: str, tmp_path: Path
) -> None:
    """Error -8151 is SEC_ERROR_UNKNOWN_CRITICAL_EXTENSION."""
    assert _nss(made(tmp_path), "good") == error


@pytest.mark.long
def test_rustls_webpki_takes_certificate_and_lists(signed: Signed) -> None:
    assert _webpki(signed.folder, "good") == "good"
    assert _webpki(signed.folder, "revoked") == "CertRevoked"


@pytest.mark.long
@pytest.mark.parametrize("made", [_old_issuing, _old_certificate], ids=["issuing CA", "certificate"])
def test_rustls_webpki_still_refuses_what_an_earlier_release_signed(
    made: Callable[[Path], Signed], tmp_path: Path
) -> None:
    assert _webpki(made(tmp_path).folder, "good") == "UnsupportedCriticalExtension"


@pytest.mark.long
def test_java_takes_certificate_lists_and_answer(signed: Signed) -> None:
    assert _java(signed.folder, "good") == {"lists": "good", "answer": "good"}
    revoked = _java(signed.folder, "revoked")
    assert all("reason: PRIVILEGE_WITHDRAWN" in said for said in revoked.values()), revoked


@pytest.mark.long
def test_go_takes_certificate_lists_and_answer(signed: Signed) -> None:
    assert _go(signed.folder, "good") == {"path": "good", "lists": "good", "answer": "good"}
    assert _go(signed.folder, "revoked") == {
        "path": "good",
        "lists": "revoked, reason 9",
        "answer": "revoked, reason 9",
    }
