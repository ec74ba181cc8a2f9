{{ config(materialized='table', schema='core') }}
select thing_key from public.affected
