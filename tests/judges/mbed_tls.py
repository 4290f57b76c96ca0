"""What mbed TLS says of a Trial CPA Certificate: its path to the root, and both lists.

`mbed_tls.py FOLDER CERTIFICATE` prints `good`, or what is wrong. It goes by the clock, so faketime says the time.
Structures of the library are opaque here: each gets more room than any release has needed.
"""

import ctypes
import ctypes.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_ROOM = 1 << 16


def _library(name: str) -> ctypes.CDLL:
    found = ctypes.util.find_library(name)
    if found is None:
        sys.exit(f"The library {name} is missing: install the Debian package libmbedtls-dev.")
    return ctypes.CDLL(found, mode=ctypes.RTLD_GLOBAL)


_library("mbedcrypto")
_X509 = _library("mbedx509")


class _RefusedError(Exception):
    pass


def _read(kind: str, *paths: Path) -> Any:
    """Certificates or lists, one after another, as the library keeps them."""
    chain = ctypes.create_string_buffer(_ROOM)
    initialise: Callable[..., Any] = getattr(_X509, f"mbedtls_x509_{kind}_init")
    parse: Callable[..., int] = getattr(_X509, f"mbedtls_x509_{kind}_parse_der")
    initialise(chain)
    for path in paths:
        octets = path.read_bytes()
        error = parse(chain, octets, ctypes.c_size_t(len(octets)))
        if error:
            raise _RefusedError(f"{path.name} cannot be read: -{-error:#06x}")
    return chain


def judge(folder: Path, certificate: str) -> str:
    """Return what the library says."""
    try:
        chain = _read("crt", folder / certificate, folder / "issuing.der")
        root = _read("crt", folder / "root.der")
        lists = _read("crl", folder / "issuing.crl", folder / "root.crl")
    except _RefusedError as refused:
        return str(refused)
    flags, said = ctypes.c_uint32(0), ctypes.create_string_buffer(_ROOM)
    if not _X509.mbedtls_x509_crt_verify(chain, root, lists, None, ctypes.byref(flags), None, None):
        return "good"
    _X509.mbedtls_x509_crt_verify_info(said, ctypes.c_size_t(_ROOM), b"", flags)
    return said.value.decode("ascii").strip()


if __name__ == "__main__":
    sys.stdout.write(judge(Path(sys.argv[1]), sys.argv[2]))
