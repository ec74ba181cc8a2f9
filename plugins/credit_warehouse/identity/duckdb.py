"""Identity codes and subject keys as DuckDB macros, for the intake: the check digits unrolled, so that a column is
checked in one scan.

``is_<kind>(t)`` judges a canonical text, ``canonical_<kind>(t)`` makes it; ``canonical(kind, t)`` and
``is_valid(kind, t, until)`` choose by kind. They agree with :mod:`credit_warehouse.identity.codes`.
"""

from __future__ import annotations

import duckdb

from credit_warehouse.identity.characters import CODE_FROM, CODE_TO, NAME_FROM, NAME_TO
from credit_warehouse.identity.codes import (
    DIGITS,
    OLDEST_BIRTH,
    ORG_ALPHABET,
    ORG_CHECK,
    ORG_WEIGHTS,
    RESIDENT_CHECK,
    RESIDENT_WEIGHTS,
    SHAPES,
    USCC_ALPHABET,
    USCC_WEIGHTS,
    Kind,
)

_DATED = (Kind.RESIDENT_ID, Kind.FOREIGN_RESIDENT_ID)


def _weighted(text: str, weights: tuple[int, ...], alphabet: str) -> str:
    terms = (f"(instr('{alphabet}', {text}[{i}]) - 1) * {w}" for i, w in enumerate(weights, start=1))
    return f"({' + '.join(terms)})"


def _mod_11_10(text: str, digits: int) -> str:
    product = "10"
    for i in range(1, digits + 1):
        product = f"((({product} + instr('{DIGITS}', {text}[{i}]) - 2) % 10 + 1) * 2 % 11)"
    return product


def _translated(written: str, meant: str) -> str:
    tables = ", ".join("'" + table.replace("'", "''") + "'" for table in (written, meant))
    return f"translate(t, {tables})"


def _shaped(kind: Kind) -> str:
    return f"regexp_full_match(t, '{SHAPES[kind]}')"


def _by_kind(call: str) -> str:
    return (
        "case kind "
        + " ".join(
            f"when '{kind}' then {call.format(kind=kind, until=', until' if kind in _DATED else '')}"
            for kind in Kind
        )
        + " end"
    )


_MACROS = f"""
-- translate reads its tables anew in every row; hardly any value needs it.
create macro canonical_code(t) as
    nullif(case when regexp_full_match(t, '[0-9A-Z*]*') then t else {_translated(CODE_FROM, CODE_TO)} end, '');
create macro translated_name(t) as
    case when regexp_full_match(t, '[0-9A-Z()\\p{{Han}}]*') then t else {_translated(NAME_FROM, NAME_TO)} end;
create macro canonical_name(t) as nullif(translated_name(replace(replace(t, '（', '('), '）', ')')), '');

create macro resident_check(t) as '{RESIDENT_CHECK}'[{_weighted("t", RESIDENT_WEIGHTS, DIGITS)} % 11 + 1];
create macro with_resident_check(t) as t || resident_check(t);
create macro canonical_resident_id(t) as
    case when regexp_full_match(canonical_code(t), '[0-9]{{15}}') then with_resident_check(
        canonical_code(t)[1:6]
        || case when canonical_code(t)[13:15] in ('996', '997', '998', '999') then '18' else '19' end
        || canonical_code(t)[7:15]
    ) else canonical_code(t) end;
{chr(10).join(f"create macro canonical_{kind}(t) as canonical_code(t);" for kind in Kind if kind is not Kind.RESIDENT_ID)}
create macro canonical(kind, t) as {_by_kind("canonical_{kind}(t)")};

create macro org_check(t) as '{ORG_CHECK}'[12 - {_weighted("t", ORG_WEIGHTS, ORG_ALPHABET)} % 11];
create macro is_org_code(t) as {_shaped(Kind.ORG_CODE)} and t[9] = org_check(t);

-- Both check digits: GB 32100 at position 18 and GB 11714 at position 17.
create macro uscc_check(t) as '{USCC_ALPHABET}'[(31 - {_weighted("t", USCC_WEIGHTS, USCC_ALPHABET)} % 31) % 31 + 1];
create macro is_uscc(t) as {_shaped(Kind.USCC)} and t[18] = uscc_check(t) and is_org_code(t[9:17]);

create macro is_registration_no(t) as
    {_shaped(Kind.REGISTRATION_NO)} and t[15] = ((11 - {_mod_11_10("t", 14)}) % 10)::varchar;

create macro born_on(t) as try_strptime(t[7:14], '%Y%m%d')::date;
create macro is_resident_id(t, until) as
    {_shaped(Kind.RESIDENT_ID)}
    and coalesce(born_on(t) between date '{OLDEST_BIRTH}' and coalesce(until, date '9999-12-31'), false)
    and t[18] = resident_check(t);
create macro is_foreign_resident_id(t, until) as
    {_shaped(Kind.FOREIGN_RESIDENT_ID)} and (length(t) = 15 or is_resident_id(t, until));

create macro is_masked_resident_id(t) as {_shaped(Kind.MASKED_RESIDENT_ID)};
create macro is_passport(t) as {_shaped(Kind.PASSPORT)};
create macro is_hk_macao_permit(t) as {_shaped(Kind.HK_MACAO_PERMIT)};
create macro is_taiwan_permit(t) as {_shaped(Kind.TAIWAN_PERMIT)};
create macro is_tax_no(t) as {_shaped(Kind.TAX_NO)};
create macro is_valid(kind, t, until) as coalesce({_by_kind("is_{kind}(t{until})")}, false);

-- HMAC-SHA256 over (type, canonical value), its first 128 bits as a uuid.
create macro subject_key(id_type, id_value) as
    sha256(getvariable('key_outer') || unhex(sha256(getvariable('key_inner') || encode(id_type || '|' || id_value))))[1:32];
create macro name_key(t) as subject_key('name', canonical_name(t));
"""


def install(connection: duckdb.DuckDBPyConnection, pepper: str) -> None:
    """Define the macros and the two HMAC pads on a DuckDB connection.

    Raises:
        ValueError: the pepper is longer than one block of SHA-256.
    """
    block = pepper.encode()
    if len(block) > 64:
        raise ValueError("the pepper must not be longer than one SHA-256 block (64 bytes)")
    block = block.ljust(64, b"\0")
    connection.execute("set variable key_inner = ?::blob", [bytes(b ^ 0x36 for b in block)])
    connection.execute("set variable key_outer = ?::blob", [bytes(b ^ 0x5C for b in block)])
    connection.execute(_MACROS)
