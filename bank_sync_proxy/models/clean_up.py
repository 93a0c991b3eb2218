"""Deleting what is too old, for methods of ``@api.autovacuum``."""

#: Records that are deleted in one transaction.
BATCH = 10_000


def clean_up(model, domain, batch=BATCH, order="create_date"):
    """Delete one batch, the oldest first.

    :param str order: a column with an index that the domain bounds: PostgreSQL begins at the oldest row and stops at
        the first one to keep. In the model's order, usually the newest first, it would read all rows that are kept.
    :return: (how many were deleted, whether there may be more). Odoo calls the method again while there are more; a
        batch a day would fall behind a table that grows faster.
    """
    found = model.search(domain, limit=batch, order=order)
    found.unlink()
    return len(found), len(found) == batch
