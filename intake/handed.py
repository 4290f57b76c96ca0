"""What an operator hands in after a restore: certificates, lists and exported journals, told apart by content."""

import base64
from collections.abc import Callable, Iterable

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from core.canonical import read_json
from core.chain import SealedRow
from core.errors import HandedIn
from core.handed import Handed, Journal

LARGEST = 512 * 1024 * 1024
"""Octets: a journal of a million rows."""

_JOURNAL_BEGINS = b'{"journal"'
_LIST_BEGINS = b"-----BEGIN X509 CRL-----"
_TEXT_BEGINS = b"-----BEGIN "


def handed_in(files: Iterable[tuple[str, bytes]]) -> Handed:
    """Tell files apart, and read them.

    Args:
        files: their names, and what they hold.

    Raises:
        HandedIn: one is none of the three, or is too large.
    """
    certificates, lists, journals = dict[str, bytes](), dict[str, bytes](), dict[str, Journal]()
    for name, octets in files:
        if len(octets) > LARGEST:
            raise HandedIn(file=name, detail=f"it has more than {LARGEST} octets")
        if octets.startswith(_JOURNAL_BEGINS):
            journals[name] = read_journal(name, octets)
            continue
        found = _read(_lists, octets)
        into, ders = (lists, found) if found else (certificates, _read(_certificates, octets))
        if not ders:
            raise HandedIn(file=name, detail="it is no certificate, no CRL and no exported journal")
        into |= {name if place == 1 else f"{name} ({place})": der for place, der in enumerate(ders, 1)}
    return Handed(certificates=certificates, lists=lists, journals=journals)


def read_journal(name: str, octets: bytes) -> Journal:
    """Read an exported journal; HandedIn where a line is none of one."""
    whose, rows, heads = "", list[SealedRow](), list[tuple[int, bytes, bytes]]()
    for number, line in enumerate(octets.splitlines(), 1):
        try:
            said = read_json(line)
            if "row" in said:
                rows.append(SealedRow(**said["row"]))
            elif "head" in said:
                heads.append((int(said["head"]), bytes.fromhex(said["link"]), bytes.fromhex(said["signature"])))
            else:
                whose = str(said["journal"])
                base64.b64decode(said["key"], validate=True)  # its word about its own key counts for nothing
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise HandedIn(file=name, detail=f"line {number} is not of a journal export") from error
    return Journal(name=whose, rows=rows, heads=heads)


def _read(reader: Callable[[bytes], list[bytes]], octets: bytes) -> list[bytes]:
    try:
        return reader(octets)
    except ValueError:
        return []


def _lists(octets: bytes) -> list[bytes]:
    text = octets.lstrip().startswith(_LIST_BEGINS)
    read = x509.load_pem_x509_crl(octets) if text else x509.load_der_x509_crl(octets)
    return [read.public_bytes(Encoding.DER)]


def _certificates(octets: bytes) -> list[bytes]:
    if not octets.lstrip().startswith(_TEXT_BEGINS):
        return [x509.load_der_x509_certificate(octets).public_bytes(Encoding.DER)]
    return [each.public_bytes(Encoding.DER) for each in x509.load_pem_x509_certificates(octets)]
