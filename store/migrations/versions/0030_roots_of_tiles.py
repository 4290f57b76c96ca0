"""The roots of the log's tiles, to be read without the tiles: a proof needs some hundred of them."""

from alembic import op

revision = "0030"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Behind eight kilobytes of octets a root is on pages of its own, and each costs as much as a tile.
    op.create_index(op.f("ix_log_tiles_level_place_root"), "log_tiles", ["level", "place", "root"], unique=False)
