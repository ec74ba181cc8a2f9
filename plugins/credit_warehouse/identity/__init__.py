"""Identity codes (DOMAIN.md §2) in three languages that agree: Python (:mod:`.codes`, the reference), DuckDB
(:mod:`.duckdb`, for the intake) and PostgreSQL (schema ``identity``, migration 0002).

python-stdnum is not used: its ``cn.ric`` rejects many adults by a county's years and its ``cn.uscc`` whole classes of
organisations (DOMAIN.md §2.2–2.3).
"""
