"""The renderer's process: `python -I -m renderer DESCRIPTOR`, which `trialcpa run renderer` becomes."""

import logging
import socket
import sys

from renderer.broker import serve

SUPERVISED = "--supervised"


def main(words: list[str]) -> None:
    """Answer on the socket that has been opened for us.

    Args:
        words: its descriptor; and whether somebody supervises us.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    serve(socket.socket(fileno=int(words[0])), supervised=SUPERVISED in words)


if __name__ == "__main__":
    main(sys.argv[1:])
