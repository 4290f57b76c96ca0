"""The tables of the public log beside the journal (docs/adr/0053): a leaf for each sealed row, and what proves it.

Nothing in them is updated. Leaves and tiles of rows that no head was signed over go with the numbers of these rows.
"""

from sqlalchemy import CheckConstraint, Column, Index, PrimaryKeyConstraint, Table

from store.tables import metadata
from store.types import Instant, Number, Octets, String

log_leaves = Table(
    "log_leaves",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),  # of the journal's row: leaf number - 1
    Column("salt", Octets, nullable=False),
    Column("commitment", Octets, nullable=False),
    Column("leaf", Octets, nullable=False),  # its hash
    CheckConstraint("number >= 1", name="numbered"),
    sqlite_strict=True,
)

log_documents = Table(
    "log_documents",
    metadata,
    Column("approval", String, nullable=False),
    Column("number", Number, nullable=False),  # of the row that carries it
    Column("document", String, nullable=False),
    PrimaryKeyConstraint("approval", "number"),
    Index(None, "number"),
    sqlite_strict=True,
)

log_tiles = Table(
    "log_tiles",
    metadata,
    Column("level", Number, nullable=False),
    Column("place", Number, nullable=False),
    Column("octets", Octets, nullable=False),
    Column("root", Octets, nullable=False),
    PrimaryKeyConstraint("level", "place"),
    Index(None, "level", "place", "root"),  # roots are read by hundreds, and behind the octets each costs a page
    sqlite_strict=True,
)
"""Full tiles alone: what is in one that is not full follows from the leaves, or from the tiles below it."""

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("size", Number, primary_key=True, autoincrement=False),
    Column("root", Octets, nullable=False),
    Column("note", String, nullable=False),
    Column("signed_at", Instant, nullable=False),
    CheckConstraint("size >= 1", name="of_something"),
    sqlite_strict=True,
)

registers = Table(
    "registers",
    metadata,
    Column("size", Number, primary_key=True, autoincrement=False),
    Column("log", String, nullable=False),
    Column("root", Octets, nullable=False),
    Column("at", Instant, nullable=False),  # when the last of its rows was sealed
    Column("sha256", Octets, nullable=False),
    Column("signature", Octets, nullable=False),
    Column("signer", String, nullable=False),
    Column("signed_at", Instant, nullable=False),
    CheckConstraint("size >= 1", name="of_something"),
    sqlite_strict=True,
)
"""What the statement signer has signed of the whole register, the newest few; the octets follow from log_documents."""
