"""Deleting what is too old, for methods of ``@api.autovacuum``."""

#: Records that are deleted in one transaction.
BATCH = 10_000


def clean_up(model, domain, batch=BATCH):
    """Delete one batch.

    :return: (how many were deleted, whether there may be more). Odoo calls the method again while there are more; a
        batch a day would fall behind a table that grows faster.
    """
    found = model.search(domain, limit=batch)
    found.unlink()
    return len(found), len(found) == batch
