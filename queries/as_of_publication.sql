-- 问题：上一次发布时，全市公示中的记录有多少？
-- Question: how many records were on display in the city as of the publication before?
-- Marts: credit_record, publication
-- Columns: publication_id, business_date, published_at, records, subjects
-- 只需一个会话设置：set credit.publication = 41; 之后每个集市都读该发布，reset credit.publication 恢复现行。
-- 撤下、修复立即生效：被撤下的记录在过去的发布中也不再可见。
select
    set_config(
        'credit.publication',
        (select coalesce(max(publication_id) filter (where not is_current), max(publication_id))::text from publication),
        false
    );
select
    reading.publication_id,
    reading.business_date,
    reading.published_at,
    count(record.record_key) as records,
    count(distinct record.subject_key) as subjects
from publication as reading left join credit_record as record on true
where reading.is_read
group by reading.publication_id, reading.business_date, reading.published_at;
reset credit.publication;
