{{ config(
    materialized='versioned', schema='mart', version_key='thing_key', scope_model='affected_thing', scope_key='thing_key',
    version_indexes=[['colour']]
) }}
select thing_key, colour, parts{{ var('more_columns', '') }}
from public.thing
where {{ is_affected('thing_key', 'affected_thing') }}
