with collision as (
    select
        identity_collision.*,
        involved.subject_key
    from {{ ref('identity_collision') }} as identity_collision
    cross join lateral unnest(identity_collision.subject_keys) as involved (subject_key)
),

-- Only names that are in the collision.
delivered_name as (
    select
        collision.identity_key,
        collision.kind,
        collision.subject_key,
        array_agg(subject_name.name order by subject_name.first_batch_id, subject_name.name) as names
    from collision
    inner join {{ source('vault', 'subject_name') }} as subject_name
        on
            subject_name.subject_key in (collision.subject_key, collision.identity_key)
            and subject_name.name_key = any(collision.name_keys)
    group by collision.identity_key, collision.kind, collision.subject_key
),

final as (
    select
        collision.identity_key,
        collision.kind,
        case collision.kind
            when 'person_names' then '同一证件号码对应多个姓名'
            when 'organisation_names' then '报送名称与登记名称不一致'
            when 'shared_alias' then '同一组织机构代码或注册号对应多个统一社会信用代码'
            when 'shared_name' then '同一登记名称对应多个统一社会信用代码'
        end as kind_label,
        collision.subject_key,
        identity.id_type,
        identity.id_value,
        identity.name,
        delivered_name.names as delivered_names,
        collision.delivered_rows,
        collision.first_seen_on,
        collision.last_seen_on
    from collision
    left join {{ source('vault', 'identity') }} as identity on collision.subject_key = identity.subject_key
    left join delivered_name
        on
            collision.identity_key = delivered_name.identity_key
            and collision.kind = delivered_name.kind
            and collision.subject_key = delivered_name.subject_key
)

select * from final
