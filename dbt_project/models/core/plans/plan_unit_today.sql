-- A unit of collective kind, or one that still exists, is itself today.
with recursive unit as (
    select * from {{ source('ops', 'unit') }}
),

step as (
    select
        unit_code,
        unit_code as heir_code
    from unit
    union
    select
        step.unit_code,
        successor.unit_code as heir_code
    from step
    inner join unit as ended on step.heir_code = ended.unit_code and ended.valid_to < {{ business_date() }}
    cross join lateral unnest(ended.successor_codes) as successor (unit_code)
),

final as (
    select
        step.unit_code,
        named.unit_name,
        named.kind,
        named.city,
        heir.unit_code as today_code,
        heir.unit_name as today_name,
        heir.department_code
    from step
    inner join unit as named on step.unit_code = named.unit_code
    inner join unit as heir on step.heir_code = heir.unit_code
    where heir.valid_to is null or heir.valid_to >= {{ business_date() }}
)

select * from final
