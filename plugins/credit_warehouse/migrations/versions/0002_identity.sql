-- Identity codes (DOMAIN.md §2) in the database; credit_warehouse.identity.codes is the reference they agree with.
create schema identity;

create function identity.weighted(t text, weights int[], alphabet text) returns int
language sql immutable parallel safe
return (
    select sum((strpos(alphabet, substr(t, place::int, 1)) - 1) * weight)::int
    from unnest(weights) with ordinality as weights (weight, place)
);

-- ISO 7064 MOD 11-2 over 17 digits.
create function identity.resident_check(t text) returns text
language sql immutable parallel safe
return substr(
    '10X98765432',
    identity.weighted(t, array[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], '0123456789') % 11 + 1,
    1
);

create function identity.canonical(kind text, t text) returns text
language sql immutable parallel safe
begin atomic
    with code as (
        -- Half-width capitals; blanks and dashes dropped.
        select nullif(translate(t,
            E'！＂＃＄％＆＇（）＊＋，．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～abcdefghijklmnopqrstuvwxyz\u0009\u000a\u000b\u000c\u000d \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u200c\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff-\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d',
            E'!"#$%&''()*+,./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`ABCDEFGHIJKLMNOPQRSTUVWXYZ{|}~ABCDEFGHIJKLMNOPQRSTUVWXYZ'
        ), '') as code
    ),
    body as (
        select code, substr(code, 1, 6)
            || case when substr(code, 13, 3) in ('996', '997', '998', '999') then '18' else '19' end
            || substr(code, 7) as body
        from code
    )
    select case when kind = 'resident_id' and code ~ '^[0-9]{15}$' then body || identity.resident_check(body) else code end
    from body;
end;

create function identity.canonical_name(t text) returns text
language sql immutable parallel safe
return nullif(translate(t,
    E'（〔【［[{｛﹙）〕】］]}｝﹚！＂＃＄％＆＇＊＋，\uff0d／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ＼＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｜～abcdefghijklmnopqrstuvwxyz\u0009\u000a\u000b\u000c\u000d \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u200c\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff.·•‧∙⋅・･．\u16eb',
    E'(((((((())))))))!"#$%&''*+,-/0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ\\^_`ABCDEFGHIJKLMNOPQRSTUVWXYZ|~ABCDEFGHIJKLMNOPQRSTUVWXYZ'
), '');

-- GB 11714-1997.
create function identity.is_org_code(t text) returns boolean
language sql immutable parallel safe
return t ~ '^[0-9A-Z]{8}[0-9X]$' and substr(t, 9, 1) = substr(
    '0123456789X0',
    12 - identity.weighted(t, array[3, 7, 9, 10, 5, 8, 4, 2], '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ') % 11,
    1
);

-- GB 32100-2015: MOD 31 at position 18 and the organisation code's own digit at position 17.
create function identity.is_uscc(t text) returns boolean
language sql immutable parallel safe
return t ~ '^[1-9ANY][0-9A-HJ-NPQRTUWXY][0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$'
    and substr(t, 18, 1) = substr(
        '0123456789ABCDEFGHJKLMNPQRTUWXY',
        (31 - identity.weighted(
            t,
            array[1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28],
            '0123456789ABCDEFGHJKLMNPQRTUWXY'
        ) % 31) % 31 + 1,
        1
    )
    and identity.is_org_code(substr(t, 9, 9));

create function identity.mod_11_10_step(product int, digit int) returns int
language sql immutable parallel safe
return ((product + digit - 1) % 10 + 1) * 2 % 11;

create aggregate identity.mod_11_10(int) (
    sfunc = identity.mod_11_10_step, stype = int, initcond = '10', parallel = safe
);

-- GS 15-2006, ISO 7064 MOD 11,10.
create function identity.is_registration_no(t text) returns boolean
language sql immutable parallel safe
return t ~ '^[0-9]{15}$' and right(t, 1) = (
    select ((11 - identity.mod_11_10(digit::int order by place)) % 10)::text
    from string_to_table(left(t, 14), null) with ordinality as digits (digit, place)
);

-- The date YYYYMMDD, or null where the calendar has no such day.
create function identity.real_day(t text) returns date
language sql immutable parallel safe
return case
    when t !~ '^[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])$' or left(t, 4) = '0000' then null
    when right(t, 2)::int > extract(day from make_date(left(t, 4)::int, substr(t, 5, 2)::int, 1) + interval '1 month -1 day')
        then null
    else make_date(left(t, 4)::int, substr(t, 5, 2)::int, right(t, 2)::int)
end;

-- GB 11643-1999: shape, a birth from 1880 to `until` (null: no end), check digit; the region is no rule.
create function identity.is_resident_id(t text, until date) returns boolean
language sql immutable parallel safe
return t ~ '^[1-9][0-9]{16}[0-9X]$'
    and coalesce(identity.real_day(substr(t, 7, 8)) between date '1880-01-01' and coalesce(until, 'infinity'), false)
    and right(t, 1) = identity.resident_check(left(t, 17));

create function identity.is_valid(kind text, t text, until date) returns boolean
language sql immutable parallel safe
return coalesce(case kind
    when 'resident_id' then identity.is_resident_id(t, until)
    when 'masked_resident_id' then t ~ '^[1-9][0-9]{9}[*]{4}[0-9]{3}[0-9X*]$'
    when 'foreign_resident_id' then t ~ '^[A-Z]{3}[0-9]{12}$' or (t like '9%' and identity.is_resident_id(t, until))
    when 'passport' then t ~ '^(E[0-9A-Z][0-9]{7}|G[0-9]{8}|1[45][0-9]{7}|(DE|SE|PE)[0-9]{7})$'
    when 'hk_macao_permit' then t ~ '^[HM][0-9]{8}([0-9]{2})?$'
    when 'taiwan_permit' then t ~ '^([0-9]{8}|[0-9]{10}[A-Z])$'
    when 'uscc' then identity.is_uscc(t)
    when 'org_code' then identity.is_org_code(t)
    when 'registration_no' then identity.is_registration_no(t)
    when 'tax_no' then t ~ '^([0-9A-Z]{15}|[0-9A-Z]{17}|[0-9A-Z]{18}|[0-9A-Z]{20})$'
end, false);

comment on function identity.canonical(text, text) is 'The one spelling of a code of this kind; null where nothing is left';
comment on function identity.canonical_name(text) is 'The one spelling of a name; null where nothing is left';
comment on function identity.is_valid(text, text, date) is 'Whether a canonical code of this kind can be one, a birth not after the date';

revoke all on all functions in schema identity from public;
grant usage on schema identity to credit_etl;
grant execute on all functions in schema identity to credit_etl;

-- Every kind of identifier a subject key is made from.
alter table vault.identity drop constraint identity_id_type_check;
alter table vault.identity add check (id_type in (
    'uscc', 'org_code', 'registration_no',
    'resident_id', 'foreign_resident_id', 'passport', 'hk_macao_permit', 'taiwan_permit'
));

-- Grain: one name an identifier was delivered under, in clear, as first spelt. For the reviewer of collisions.
create table vault.subject_name (
    subject_key uuid not null,
    name_key uuid not null,
    name text not null,
    first_batch_id bigint not null,
    primary key (subject_key, name_key)
);
create index on vault.subject_name (name_key);

-- Raw rows carry more columns; their views are made again from the contracts, and what dbt put on top by its next run.
do $$
declare
    outdated text;
begin
    for outdated in select viewname from pg_views where schemaname = 'accepted' loop
        execute format('drop view accepted.%I cascade', outdated);
    end loop;
end
$$;
