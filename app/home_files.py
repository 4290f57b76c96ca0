"""Files of a home that nobody but its owner may read."""

from pathlib import Path

from keys.passphrase import FromFile
from keys.private_file import keep


def write_secret(path: Path, content: str, *, exist_ok: bool = False) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    if exist_ok and path.exists():
        FromFile(path).read()
        return
    write_whole(path, content.encode())


def write_whole(path: Path, content: bytes) -> None:
    """Write octets into a file that only its owner can read, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    keep(path, content, step=f"rename {path.name}")
