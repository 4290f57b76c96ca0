"""How a database file is looked at by whoever writes nothing, its companions neither."""

from pathlib import Path


def reading_uri(path: Path) -> str:
    """Return the URI by which SQLite opens a file for reading alone (sqlite.org/uri.html, sqlite.org/wal.html).

    A reader of a file with a log makes the log's companions where there are none, and leaves them. Where there is no
    log nobody has the file open, and it is read as it lies (`immutable`).

    Args:
        path: of the file.
    """
    at_work = path.with_name(f"{path.name}-wal").exists()
    return f"{path.absolute().as_uri()}?{'mode=ro' if at_work else 'immutable=1'}"
