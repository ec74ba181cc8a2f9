{{ config(
    version_key=['platform', 'feed', 'business_date'],
    scope_model='affected_exchange_night',
    scope_key='business_date'
) }}
with package as (
    select * from {{ source('ops', 'exchange_package') }}
    where {{ is_affected('business_date', 'affected_exchange_night') }}
),

item as (
    select * from {{ source('ops', 'exchange_item') }}
),

feed as (
    select * from {{ ref('feed') }}
),

department as (
    select * from {{ ref('department') }}
),

-- One flag per state on the row, then sums; a package given up goes again under a later number.
flagged as (
    select
        package.platform,
        package.business_date,
        package.package_id,
        item.feed,
        item.operation = 'insert' as is_new,
        item.operation = 'update' as is_changed,
        item.operation = 'delete' as is_called_back,
        item.outcome = 'waiting' and package.state = 'built' as is_unsent,
        item.outcome = 'waiting' and package.state = 'sent' as is_unanswered,
        item.outcome = 'accepted' as is_accepted,
        item.outcome = 'rejected' as is_rejected
    from package
    inner join item on package.package_id = item.package_id
    where package.state <> 'failed'
),

final as (
    select
        flagged.platform,
        flagged.business_date,
        flagged.feed,
        feed.feed_label,
        feed.department_code,
        department.department_name,
        count(distinct flagged.package_id) as packages,
        count(*) as prepared_rows,
        count(*) filter (where flagged.is_new) as new_rows,
        count(*) filter (where flagged.is_changed) as changed_rows,
        count(*) filter (where flagged.is_called_back) as called_back_rows,
        count(*) filter (where flagged.is_unsent) as unsent_rows,
        count(*) filter (where flagged.is_unanswered) as waiting_rows,
        count(*) filter (where flagged.is_accepted) as acknowledged_rows,
        count(*) filter (where flagged.is_rejected) as rejected_rows
    from flagged
    inner join feed on flagged.feed = feed.feed
    inner join department on feed.department_code = department.department_code
    group by
        flagged.platform,
        flagged.business_date,
        flagged.feed,
        feed.feed_label,
        feed.department_code,
        department.department_name
)

select * from final
