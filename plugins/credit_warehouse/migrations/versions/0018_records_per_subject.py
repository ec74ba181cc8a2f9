"""The planner is told that a subject has some ten records; what it samples of rows in a subject's order says hundreds."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute("""
        do $$
        declare
            kept regclass;
        begin
            foreach kept in array array[
                to_regclass('core.credit_record'), to_regclass('mart_store.queryable_credit_record')
            ] loop
                if kept is not null then
                    execute format('alter table %s alter column subject_key set (n_distinct = -0.1)', kept);
                    execute format('analyze %s (subject_key)', kept);
                end if;
            end loop;
        end
        $$
    """)
