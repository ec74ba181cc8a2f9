"""Identity codes as DuckDB macros, and the subject key (DOMAIN.md §2; ARCHITECTURE decision 6).

python-stdnum is not used: its ``cn.ric`` rejects many adults by a county's years and its ``cn.uscc`` whole classes of
organisations (DOMAIN.md §2.2–2.3).
"""

from __future__ import annotations

import duckdb

_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORG_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _weighted(text: str, weights: tuple[int, ...], alphabet: str) -> str:
    terms = (f"(instr('{alphabet}', {text}[{i}]) - 1) * {w}" for i, w in enumerate(weights, start=1))
    return f"({' + '.join(terms)})"


_MACROS = f"""
create macro is_org_code(t) as
    regexp_full_match(t, '[0-9A-Z]{{8}}[0-9X]')
    and t[9] = case (11 - {_weighted("t", _ORG_WEIGHTS, _ORG_ALPHABET)} % 11)
        when 10 then 'X' when 11 then '0' else (11 - {_weighted("t", _ORG_WEIGHTS, _ORG_ALPHABET)} % 11)::varchar end;

-- Both check digits: GB 32100 at position 18 and GB 11714 at position 17.
create macro is_uscc(t) as
    regexp_full_match(t, '[1-9ANY][{_USCC_ALPHABET}][0-9]{{6}}[{_USCC_ALPHABET}]{{10}}')
    and t[18] = '{_USCC_ALPHABET}'[(31 - {_weighted("t", _USCC_WEIGHTS, _USCC_ALPHABET)} % 31) % 31 + 1]
    and is_org_code(t[9:17]);

-- Length, characters, calendar date of birth not after the delivery, check digit. Region is no hard rule (§2.2).
create macro is_resident_id(t, until) as
    regexp_full_match(t, '[1-9][0-9]{{16}}[0-9X]')
    and try_strptime(t[7:14], '%Y%m%d') is not null
    and try_strptime(t[7:14], '%Y%m%d')::date between date '1880-01-01' and until
    and t[18] = '10X98765432'[{_weighted("t", _RESIDENT_WEIGHTS, "0123456789")} % 11 + 1];

-- As published by courts: month and day of birth hidden. Never a key, only a candidate for review.
create macro is_masked_resident_id(t) as regexp_full_match(t, '[1-9][0-9]{{9}}[*]{{4}}[0-9]{{3}}[0-9X*]');

-- HMAC-SHA256 over (type, canonical identifier), its first 128 bits as a uuid.
create macro subject_key(id_type, id_value) as
    sha256(getvariable('key_outer') || unhex(sha256(getvariable('key_inner') || encode(id_type || '|' || id_value))))[1:32];
"""


def install(connection: duckdb.DuckDBPyConnection, pepper: str) -> None:
    """Define the macros and the two HMAC pads on a DuckDB connection."""
    block = pepper.encode()
    if len(block) > 64:
        raise ValueError("the pepper must not be longer than one SHA-256 block (64 bytes)")
    block = block.ljust(64, b"\0")
    connection.execute("set variable key_inner = ?::blob", [bytes(b ^ 0x36 for b in block)])
    connection.execute("set variable key_outer = ?::blob", [bytes(b ^ 0x5C for b in block)])
    connection.execute(_MACROS)
