{%- set changed_batch, settled_batch = ref('changed_batch'), ref('settled_batch') %}
{%- set batch, feed, subject_name = source('ops', 'batch'), source('ops', 'feed'), source('vault', 'subject_name') %}
{%- set known_collision = built_relation('core', 'identity_collision') %}
{%- set known_alias = built_relation('core', 'subject_alias') %}
{%- set everything = flags.FULL_REFRESH or known_collision is none or known_alias is none
    or built_relation('core', 'credit_record') is none %}
with delivered as (
    select
        is_register,
        subject_key,
        id_type,
        name_key,
        alias_keys
    from {{ ref('delivered_row') }}
    where
        {{ everything }}
        or batch_id = any(array(select changed_batch.batch_id from {{ changed_batch }} as changed_batch))
),

{% if not everything -%}
-- A batch taken back may leave an identifier without what it alone had told.
taken_back as (
    select changed.batch_id
    from {{ changed_batch }} as changed
    inner join {{ batch }} as batch on changed.batch_id = batch.batch_id
    where batch.state <> 'accepted'
),

-- The vault also remembers names told by feeds of changes, and by feeds no longer taken in: those refer to nobody.
telling as (
    select settled.batch_id
    from {{ settled_batch }} as settled
    inner join {{ feed }} as feed on settled.feed = feed.feed
    where settled.state = 'accepted' and feed.is_active and feed.brings <> 'changes'
),

-- Identifiers that went by one name all along, told by a batch that still stands and is not one of those at hand.
single_named as (
    select
        named.subject_key,
        (array_agg(named.name_key))[1] as name_key
    from {{ subject_name }} as named
    left join telling as told_by on named.first_batch_id = told_by.batch_id
    where named.subject_key in (select delivered.subject_key from delivered)
    group by named.subject_key
    having
        count(*) = 1
        and bool_and(told_by.batch_id is not null)
        and not bool_or(
            named.first_batch_id in (select changed.batch_id from {{ changed_batch }} as changed)
        )
),

-- Told once more what was known: no name, no owner of a code and no collision comes out differently. A USCC carries the
-- same aliases in every row but the register's.
as_before as (
    select delivered.subject_key
    from delivered
    left join single_named on delivered.subject_key = single_named.subject_key
    left join {{ known_collision }} as collision
        on delivered.subject_key = collision.identity_key or collision.identity_key = any(delivered.alias_keys)
    where not exists (select 1 from taken_back)
    group by delivered.subject_key
    having
        bool_and(
            not delivered.is_register
            and delivered.id_type not in ('org_code', 'registration_no')
            and coalesce(delivered.name_key = single_named.name_key, false)
            and collision.identity_key is null
        )
),

{% endif -%}
concerned as (
    select * from delivered
    {%- if not everything %}
    where
        not exists (
            select 1 from as_before
            where as_before.subject_key = delivered.subject_key
        )
    {%- endif %}
),

told as (
    select
        subject_key as identity_key,
        coalesce(id_type in ('org_code', 'registration_no'), false) as is_alias
    from concerned
    where subject_key is not null
    union all
    select
        alias.alias_key as identity_key,
        true as is_alias
    from concerned
    cross join lateral unnest(concerned.alias_keys) as alias (alias_key)
    union all
    select
        name_key as identity_key,
        false as is_alias
    from concerned
    where is_register and name_key is not null
    {% if not everything -%}
    union all
    -- Rows under an older code are measured by the names the register gives its owner; its row need not tell the code.
    select
        known.alias_key as identity_key,
        true as is_alias
    from {{ known_alias }} as known
    where
        known.subject_key in (
            select concerned.subject_key from concerned
            where concerned.is_register
        )
    {%- endif %}
),

final as (
    select
        identity_key,
        bool_or(is_alias) as is_alias
    from told
    group by identity_key
)

select * from final
