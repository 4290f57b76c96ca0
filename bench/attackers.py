"""Connections that hold on, kept up by a process of their own: who is let go comes again.

`python -m bench.attackers` reads one JSON document from its input, opens what it says, prints how many it holds, and
keeps them until its input ends.
"""

import json
import os
import select
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

OF_ONE_ADDRESS = 50
"""Connections from each address of ours; a proxy bounds them, and a bound that is met attacks nobody."""

_READS = 2_048
_LOOK_MILLISECONDS = 200
_CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_CONTEXT.check_hostname, _CONTEXT.verify_mode = False, ssl.CERT_NONE
_GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR


@dataclass(frozen=True)
class Attack:
    """Connections to be held.

    Args:
        port: whom.
        tls: whether it speaks TLS.
        sent: what each connection sends, one after the other, and neither sends nor reads more.
    """

    port: int
    tls: bool
    sent: Sequence[str]


@contextmanager
def attacking(attack: Attack) -> Iterator[int]:
    """Hold them until the block ends; how many could be opened."""
    command = [sys.executable, "-m", "bench.attackers"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asdict(attack)) + "\n")
        process.stdin.flush()
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


def _opened(attack: Attack, number: int) -> socket.socket | None:
    host = number // OF_ONE_ADDRESS
    client = socket.socket()
    client.settimeout(5)
    try:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _READS)
        client.bind((f"127.1.{host // 250}.{host % 250 + 1}", 0))
        client.connect(("127.0.0.1", attack.port))
        if attack.tls:
            client = _CONTEXT.wrap_socket(client)
        client.sendall(attack.sent[number].encode())
    except OSError:
        client.close()
        return None
    return client


def main() -> None:
    """Hold what is asked for."""
    os.setpriority(os.PRIO_PROCESS, 0, 19)  # an attacker has processors of its own, and does not take ours
    attack = Attack(**json.loads(sys.stdin.readline()))
    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN | select.POLLHUP)
    held: dict[int, tuple[int, socket.socket]] = {}
    wanted = list(range(len(attack.sent)))
    said = False
    while True:
        for number in wanted:
            client = _opened(attack, number)
            if client is not None:
                held[client.fileno()] = number, client
                poll.register(client, _GONE)
        missing = set(range(len(attack.sent))) - {number for number, _ in held.values()}
        if not said:
            print(len(held), flush=True)
            said = True
        for descriptor, _ in poll.poll(_LOOK_MILLISECONDS):
            if descriptor == sys.stdin.fileno():
                return
            poll.unregister(descriptor)
            number, client = held.pop(descriptor)
            client.close()
            missing.add(number)
        wanted = sorted(missing)


if __name__ == "__main__":
    main()
