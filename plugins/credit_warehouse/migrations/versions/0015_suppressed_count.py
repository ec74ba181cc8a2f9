"""Counts too small to be shown: the threshold, as a parameter with its source."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute("""
        insert into ops.metric_parameter (name, value, unit, source, valid_from) values (
            'suppressed_count', 5, '条',
            '凭记忆：统计披露控制常用的下限，待信用办确定', '2000-01-01'
        )
    """)
