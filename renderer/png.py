"""PNG (ISO/IEC 15948), of one kind: eight bits, three colours, not interlaced, nothing but its pixels.

The renderer writes it. Whoever hands it on reads all of it again and takes nothing else: what draws strangers'
documents is not believed, and no browser is given a file that could be another.
"""

import struct
import zlib

from renderer.limits import HIGHEST, LARGEST_PICTURE, WIDEST

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEAD = struct.Struct("!IIBBBBB")
_COLOURS = 3
_KIND = (8, 2, 0, 0, 0)
"""Bits, truecolour, and the only methods there are (11.2.2)."""

_LEVEL = 5


class NoPicture(Exception):
    """These octets are no picture of ours."""


def png(width: int, height: int, pixels: bytes) -> bytes:
    """Return a picture.

    Args:
        width: in pixels.
        height: in pixels.
        pixels: three octets each, without anything between the rows.
    """
    row = width * _COLOURS
    # Each row begins with its filter: none.
    rows = b"".join(b"\x00" + pixels[at : at + row] for at in range(0, row * height, row))
    head = _HEAD.pack(width, height, *_KIND)
    return _SIGNATURE + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows, _LEVEL)) + _chunk(b"IEND", b"")


def require_picture(octets: bytes) -> tuple[int, int]:
    """Return width and height of a picture that is whole and has nothing but pixels.

    Raises:
        NoPicture: any octet is other than `png` would write it, but for how the pixels are packed.
    """
    if len(octets) > LARGEST_PICTURE or not octets.startswith(_SIGNATURE):
        raise NoPicture("it does not begin as a picture")
    head, place = _read_chunk(octets, len(_SIGNATURE), b"IHDR")
    if len(head) != _HEAD.size:
        raise NoPicture("its head has another length")
    width, height, *kind = _HEAD.unpack(head)
    if tuple(kind) != _KIND or not 1 <= width <= WIDEST or not 1 <= height <= HIGHEST:
        raise NoPicture("it is of another kind or size")
    packed, place = _read_chunk(octets, place, b"IDAT")
    last, place = _read_chunk(octets, place, b"IEND")
    if last or place != len(octets):
        raise NoPicture("something follows its end")
    _require_rows(packed, width * _COLOURS + 1, height)
    return width, height


def _require_rows(packed: bytes, row: int, height: int) -> None:
    unpacking = zlib.decompressobj()
    try:
        rows = unpacking.decompress(packed, row * height + 1)
    except zlib.error as error:
        raise NoPicture("its pixels cannot be unpacked") from error
    if len(rows) != row * height or not unpacking.eof or unpacking.unused_data or any(rows[::row]):
        raise NoPicture("it has more or fewer pixels than it says")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))


def _read_chunk(octets: bytes, place: int, kind: bytes) -> tuple[bytes, int]:
    """The data of the chunk at a place, and where the next one is."""
    begin = place + 8
    if octets[place + 4 : begin] != kind:
        raise NoPicture("a part of it is another than a picture has there")
    end = begin + int.from_bytes(octets[place : place + 4])
    if octets[end : end + 4] != struct.pack("!I", zlib.crc32(octets[place + 4 : end])):
        raise NoPicture("a part of it has another checksum")
    return octets[begin:end], end + 4
