"""How long and how much: every bound of the front, in one value."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of the front; seconds and octets.

    A body, and an answer that is being read, may take `steady_seconds` and a second more for each `least_rate` octets
    that have passed, but never rest longer than `rest_seconds`: whoever is slow is let be, whoever holds on is not.

    Args:
        head_seconds: from the connection, or the answer before, to the end of a request's head.
        rest_seconds: without a single octet, within a body or while an answer is being read.
        steady_seconds: for a body or an answer of any size.
        least_rate: octets a second; a 1990s modem has more.
        turn_seconds: how long a request waits for a worker before it is told to come again.
        look_seconds: how often the front looks for what is overdue.
        head_octets: a request's head; an OCSP request in a path has under 400 (RFC 5019, 5), browsers send up to 8 kB.
        fields: header fields of one request.
        in_memory: octets of a body above which it is collected into a file: 128 MiB, if every connection holds as much.
        at_once: octets of the longest body that the status plane answers to; it is read back from a file that short.
        spooled: octets of all bodies in files together.
        drained: octets of a refused body that are still taken, so that a client that only sends can read why.
        connections: all of them; more need more descriptors than a process usually has.
        of_one_peer: connections of one address, or of one network of IPv6 (/64).
        at_work_of_one_peer: requests of one peer that are with workers or wait for them.
    """

    head_seconds: float = 10.0
    rest_seconds: float = 10.0
    steady_seconds: float = 20.0
    least_rate: int = 4 * 1024
    turn_seconds: float = 5.0
    look_seconds: float = 1.0
    head_octets: int = 32 * 1024
    fields: int = 100
    in_memory: int = 16 * 1024
    at_once: int = 64 * 1024
    spooled: int = 1024 * 1024 * 1024
    drained: int = 64 * 1024 * 1024
    connections: int = 8_192
    of_one_peer: int = 1_024
    at_work_of_one_peer: int = 16
