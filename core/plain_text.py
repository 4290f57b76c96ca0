"""Octets as text: byte order marks are read, and what is another encoding, or no text at all, is told as that.

Whatever comes in as text, JSON, TOML, CSV or PEM, is decoded here, so that one reader takes what the next one takes.
Nothing is guessed from the letters of a text; only marks and zeros are looked at.
"""

import re

UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOOKED_AT = 512
"""Octets from the beginning by which a text in UTF-16 without its mark is told: each letter of ASCII has a zero."""

# What people copy along unseen: marks of direction before a serial number in a certificate's window, of no width
# between words, and a byte order mark within a text.
_UNSEEN = "\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u2060\ufeff"
_LAST_BLANK = 0x3000
_EDGES = _UNSEEN + "".join(filter(str.isspace, map(chr, range(_LAST_BLANK + 1))))

# What turns the direction of the words around it: Unicode, bidirectional formatting characters (UAX 9, 2).
_TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class TextUnreadable(ValueError):
    """Octets that are not the text that is asked for. Its message says what they are instead, as half a sentence."""


def utf8(octets: bytes) -> str:
    """Return text in UTF-8, with or without a byte order mark (RFC 8259, 8.1, lets a parser ignore it).

    Raises:
        TextUnreadable: anything else, with what it looks like.
    """
    other = looks_like(octets)
    if other:
        raise TextUnreadable(f"{other}; save it as UTF-8")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TextUnreadable("it is not text in UTF-8") from None


def as_saved(octets: bytes) -> str:
    """Return text as spreadsheets save it: UTF-8, UTF-16 with its mark, or else Windows-1252.

    Raises:
        TextUnreadable: not text, or in UTF-16 without its mark.
    """
    if octets.startswith(_UTF16_MARKS):
        try:
            return octets.decode("utf-16")
        except UnicodeDecodeError:
            raise TextUnreadable("it is not the Unicode text that its first octets announce") from None
    other = looks_like(octets)
    if other:
        raise TextUnreadable(other)
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        if octets.startswith(UTF8_MARK):
            raise TextUnreadable("it is not the Unicode text that its first octets announce") from None
        # What Excel writes as “CSV” in the United Kingdom; every octet means something in it, or is told as unknown.
        return octets.decode("cp1252", "replace")


def is_gzip(octets: bytes) -> bool:
    """Return whether a file is compressed with gzip (RFC 1952, 2.3.1): no text and no workbook begins like that."""
    return octets.startswith(_GZIP)


def trimmed(value: str) -> str:
    """Return a value without the blanks, and the marks that nobody sees, at its ends."""
    return value.strip(_EDGES)


def plainly(words: str) -> str:
    """Return a text in which no character turns the direction of the others: each such is named."""
    return _TURNS.sub(lambda found: f"[U+{ord(found[0]):04X}]", words)


def looks_like(octets: bytes) -> str:
    """Return what octets look like that are not text in UTF-8, half a sentence; empty if nothing speaks against it."""
    head = octets[:_LOOKED_AT]
    if head.startswith(_UTF16_MARKS):
        return "it is text in UTF-16, as its byte order mark says"
    if head.startswith(_GZIP):
        return "it is compressed with gzip"
    if head.startswith(_ZIP):
        return "it is a ZIP archive or a workbook, not text"
    if head.startswith(_COMPOUND):
        return "it is a file of an old office program (.xls, .doc), or one with a password, not text"
    zeros = head.count(0)
    if zeros and 3 * zeros >= len(head) and (not any(head[::2]) or not any(head[1::2])):
        return "it looks like text in UTF-16 without its byte order mark"
    return ""
