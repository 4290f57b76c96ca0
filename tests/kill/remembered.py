"""Nothing was signed that the authority does not remember; every problem is told as a sentence."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator

from cryptography import x509
from cryptography.x509 import ocsp

from ca import der as write
from ca.certificates import issuer
from core import merkle, note
from core.identifiers import serial_of
from core.kinds import HierarchyRole
from memory.memory import Memory
from memory.records import RecordKind
from store.reading import authority
from store.reading import log as reading
from store.transactions import Transaction
from tests.kill.process import ANY_SIGNATURE, Signing

_OCSP_BASIC = "1.3.6.1.5.5.7.48.1.1"


def forgotten(tx: Transaction, memory: Memory, signings: Iterable[Signing]) -> Iterator[str]:
    """Whatever a key of ours was used for, after the use or only about to be, was remembered before.

    Args:
        tx: open; says which keys are ours.
        memory: the authority's, after the restart.
        signings: all that was told.
    """
    ours = _keys(tx) | _log_keys(memory)
    for each in signings:
        if each.kind == "a checkpoint":
            if each.public_key in ours and not _checkpoint(tx, memory, each.message):
                yield f"a checkpoint was signed and is not remembered: {each.message!r}"
        elif each.public_key in ours and not _BY_KIND[each.kind](memory, each.message):
            yield f"{each.kind} was signed and is not remembered: {each.message[:200]!r}"


def _keys(tx: Transaction) -> set[bytes]:
    certificates = (issuer(each.der) for each in authority.certificates(tx))
    return {authority.authority_row(tx).journal_key, *(each.public_key for each in certificates)}


def _log_keys(memory: Memory) -> set[bytes]:
    return set() if memory.newest_log is None else {note.parse_vkey(memory.newest_log.key)[1]}


def _checkpoint(tx: Transaction, memory: Memory, text: bytes) -> bool:
    """No larger tree than the one that is remembered, and no other than the rows have."""
    log, written, coded = text.decode().splitlines()
    largest, size, found = memory.tree(log), int(written), base64.b64decode(coded)
    if largest is None or size > largest.size or (size == largest.size and found != largest.root):
        return False
    return found == merkle.root(reading.nodes(tx), size)


def _log(memory: Memory, statement: bytes) -> bool:
    held, said = memory.newest_log, json.loads(statement)
    return held is not None and said == {
        "log": held.log,
        "key": held.key,
        "number": held.number,
        "link": held.link.hex(),
    }


def _register(memory: Memory, attributes: bytes) -> bool:
    """The attributes have the digest of what is signed (RFC 5652, 11.2)."""
    said = (json.loads(each.body) for each in memory.after(0, 1_000_000) if each.kind == RecordKind.REGISTER)
    return any(bytes.fromhex(each["sha256"]) in attributes for each in said)


def _certificate(memory: Memory, tbs: bytes) -> bool:
    parsed = x509.load_der_x509_certificate(write.signed(tbs, ANY_SIGNATURE))
    serial, digest = serial_of(parsed.serial_number), hashlib.sha256(tbs).hexdigest()
    known = memory.certificate(serial)
    above = [each for role in HierarchyRole for each in memory.hierarchy(role) if each.serial == serial]
    return digest in {each.tbs_sha256 for each in (known, *above) if each is not None}


def _list(memory: Memory, tbs: bytes) -> bool:
    parsed = x509.load_der_x509_crl(write.signed(tbs, ANY_SIGNATURE))
    key_id = parsed.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier or b""
    every = memory.newest_lists(key_id.hex(), parsed.last_update_utc, 1_000)
    number = parsed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    return (number, hashlib.sha256(tbs).hexdigest()) in {(each.number, each.tbs_sha256) for each in every}


def _head(memory: Memory, statement: bytes) -> bool:
    said = json.loads(statement)
    return memory.link_of(said["number"]) == bytes.fromhex(said["digest"])


def _transcript(memory: Memory, words: bytes) -> bool:
    """It follows from what is remembered: the hierarchy, and the first officers' keys."""
    every = [each.serial for role in HierarchyRole for each in memory.hierarchy(role)]
    keys = [each.key for roster in memory.rosters()[:1] for each in roster.members]
    return all(each.encode() in words for each in (*every, *keys))


def _answer(memory: Memory, tbs: bytes) -> bool:
    """Of answers only ends are remembered, and what was certified: the answer says what follows from both."""
    basic = write.signed(tbs, ANY_SIGNATURE)
    wrapped = write.sequence(
        write.tlv(0x0A, b"\0"), write.explicit(0, write.sequence(write.oid(_OCSP_BASIC), write.octet_string(basic)))
    )
    (said,) = ocsp.load_der_ocsp_response(wrapped).responses
    known = memory.certificate(serial_of(said.serial_number))
    if known is None:
        return False
    expected, at = memory.status(known, said.this_update_utc), said.revocation_time_utc
    if at is None:  # in the second in which it ended it was good before, and revoked after
        return expected is None or expected.at == said.this_update_utc
    return expected is not None and at == expected.at


_BY_KIND: dict[str, Callable[[Memory, bytes], bool]] = {
    "a certificate": _certificate,
    "a list": _list,
    "a head": _head,
    "a log": _log,
    "a register": _register,
    "a transcript": _transcript,
    "an answer": _answer,
}
