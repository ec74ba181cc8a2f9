-- Their register entry or one of their records came out differently: both make up whether a member has a file.
with final as (
    select subject_key from {{ ref('affected_member') }}
    union
    select subject_key from {{ ref('affected_subject') }}
)

select * from final
