"""Who read what, and when: the access log."""

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    # The driver's own cursor: the script is several statements, and % and : in it are only characters.
    op.get_bind().connection.cursor().execute(script)
