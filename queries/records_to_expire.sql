-- 问题：哪些公示中的记录三十天内到期撤下？
-- Question: which records on display leave it within 30 days?
-- Marts: credit_record, publication
-- Columns: displayed_until, department_name, feed_label, document_no, party_name, display_note
select
    record.displayed_until,
    record.department_name,
    record.feed_label,
    record.document_no,
    record.party_name,
    record.display_note
from credit_record as record
inner join publication as reading on reading.is_read
where record.displayed_until between reading.business_date and reading.business_date + 30
order by record.displayed_until, record.department_name, record.document_no;
