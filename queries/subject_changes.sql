-- 问题：一个主体的记录在两次发布之间有什么不同？
-- Question: what differs of one subject between two publications?
-- Marts: credit_record, publication
-- Columns: change, record_key, feed_label, document_no, before_status, after_status
-- 参数（可不设）：set query.subject = '主体键'；set query.before = 发布批次；缺省为前一发布，以及自那时起有新记录的一个主体。
-- 一次查询只读一个发布，因此先把前一发布所见存入会话设置，再切换过来比较。
select set_config('query.subject', coalesce(
    nullif(current_setting('query.subject', true), ''),
    (
        select record.subject_key::text from credit_record as record where record.subject_key is not null
        order by record.first_received_on desc, record.subject_key limit 1
    )
), false);
select set_config('credit.publication', coalesce(
    nullif(current_setting('query.before', true), ''),
    (
        select max(earlier.publication_id)::text from publication as earlier
        where earlier.publication_id < (select reading.publication_id from publication as reading where reading.is_read)
    )
), false);
select
    set_config(
        'query.seen',
        coalesce(json_agg(json_build_object(
            'record_key', record.record_key, 'feed_label', record.feed_label, 'document_no', record.document_no,
            'delivered_status', record.delivered_status
        ))::text, '[]'),
        false
    )
from credit_record as record
where record.subject_key = current_setting('query.subject')::uuid;
reset credit.publication;
with seen as (
    select * from json_to_recordset(current_setting('query.seen')::json)
        as row (record_key uuid, feed_label text, document_no text, delivered_status text)
),

now_seen as (
    select record_key, feed_label, document_no, delivered_status from credit_record
    where subject_key = current_setting('query.subject')::uuid
)

select
    case when seen.record_key is null then '新增' when now_seen.record_key is null then '撤下' else '更正' end as change,
    coalesce(now_seen.record_key, seen.record_key) as record_key,
    coalesce(now_seen.feed_label, seen.feed_label) as feed_label,
    coalesce(now_seen.document_no, seen.document_no) as document_no,
    seen.delivered_status as before_status,
    now_seen.delivered_status as after_status
from seen full outer join now_seen on seen.record_key = now_seen.record_key
where seen is distinct from now_seen
order by change, record_key;
