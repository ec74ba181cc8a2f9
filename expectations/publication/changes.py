"""What a candidate holds, and what of it is new.

The ledger goes on while a candidate is judged: a batch accepted after the candidate was opened belongs to the next.
"""

from __future__ import annotations

from credit_warehouse.quality.candidate import Candidate


def changed_rows(candidate: Candidate, mart: str, expectation_id: str) -> str:
    """A FROM item called ``changed``: rows of ``mart`` in the candidate, newer than when the expectation last held.

    ``place`` tells two rows apart that are the same in every column.
    """
    return f"""(
        select *, ctid as place from mart_store.{mart}
        where valid_from_publication > {candidate.changed_since(expectation_id)}
            and valid_from_publication <= {candidate.publication_id}
            and coalesce(valid_to_publication > {candidate.publication_id}, true)
    ) as changed"""


def held_rows(candidate: Candidate, mart: str) -> str:
    """A FROM item called ``held``: every row of ``mart`` in the candidate, as stored.

    Readers see less of it: what is removed while the candidate is being judged must not fail its sums.
    """
    return f"""(
        select * from mart_store.{mart}
        where valid_from_publication <= {candidate.publication_id}
            and coalesce(valid_to_publication > {candidate.publication_id}, true)
    ) as held"""


def included_batches(candidate: Candidate) -> str:
    """A query for the accepted batches that this candidate or a published one took in."""
    return f"""
        select publication_batch.batch_id
        from ops.publication_batch
        inner join ops.publication using (publication_id)
        inner join ops.batch using (batch_id)
        where batch.state = 'accepted'
            and (publication.state = 'published' or publication_id = {candidate.publication_id})
        group by publication_batch.batch_id
    """
