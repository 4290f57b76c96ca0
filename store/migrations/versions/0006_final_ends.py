"""When the end of a certificate became final: before a list or an answer said it, and no other end comes after."""

import sqlalchemy as sa
from alembic import op

from store.types import Instant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("certificates", sa.Column("final_at", Instant(), nullable=True))
    # What a list or an answer has said by now is final, since whenever that was.
    op.execute(
        "UPDATE certificates SET final_at = ends_at WHERE listed_in IS NOT NULL OR EXISTS (SELECT 1 FROM ocsp_answers "
        "WHERE ocsp_answers.serial = certificates.serial AND ocsp_answers.revoked_at = certificates.ends_at)"
    )
