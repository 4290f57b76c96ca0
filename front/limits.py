"""How long and how much: every bound of the front, in one value."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of the front; seconds and octets.

    A body, and an answer that is being read, may take `steady_seconds` and a second more for each `least_rate` octets
    that have passed, but never rest longer than `rest_seconds`: whoever is slow is let be, whoever holds on is not.

    Args:
        head_seconds: from the connection, or the answer before, to the end of a request's head; three losses of a
            packet in a row are over by then (RFC 6298, 2 and 5: 1, 2 and 4 s).
        rest_seconds: without a single octet, within a body or while an answer is being read; for the same reason.
        steady_seconds: for a body or an answer of any size; chosen: a rest and as much again.
        least_rate: octets a second; a modem of 1996 (ITU-T V.34, 33.6 kbit/s) has just more.
        turn_seconds: how long a request waits for a worker before it is told to come again; chosen below the 10 s for
            which a person waits, so that the second attempt falls within them.
        look_seconds: how often the front looks for what is overdue; a tenth of the shortest deadline of ten.
        head_octets: a request's head; an OCSP request in a path has at most 255 (RFC 5019, 5), browsers send up to
            8 kB, and deploy/nginx.conf passes on lines of 32 kB.
        fields: header fields of one request; browsers send some 20, and Apache allows as many (LimitRequestFields).
        in_memory: octets of a body above which it is collected into a file: 128 MiB, if every connection holds as much.
        at_once: octets of the longest body that the status plane answers to; it is read back from a file that short.
        spooled: octets of all bodies in files together: 32 of the largest (32 MiB).
        drained: octets of a refused body that are still taken, so that a client that only sends can read why: twice the
            largest body that is ever admitted.
        connections: all of them; more need more descriptors than a process usually has.
        of_one_peer: connections of one address, or of one network of IPv6 (/64): an eighth of all, for offices behind
            one address.
        at_work_of_one_peer: requests of one peer that are with workers or wait for them: with 8 threads of the
            API, for each of which 4 wait (app/web.py), less than half of the places.
        answers: octets of answers from workers that are being read: 256 of the longest of the feed (2 MiB).
        answers_of_one_peer: of them of one peer: sixteen of these, as many as workers make for it at a time.
        waiters: connections that wait for news, on no thread: half of all, so that whoever asks something finds the
            other half; each holds some 10 KB. It is half of what the process may have, where that is less.
        waiters_of_one_peer: of them of one peer: an eighth of its connections. A copy needs one.
        quiet_seconds: after which something is sent to whoever gets news as they come and there are none; a quarter of
            the shortest time after which a proxy lets go (nginx: 60 s).
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
    answers: int = 512 * 1024 * 1024
    answers_of_one_peer: int = 32 * 1024 * 1024
    waiters: int = 4_096
    waiters_of_one_peer: int = 128
    quiet_seconds: float = 15.0
