"""What to request, when, and how to import each transaction. Pure Python: nothing here imports Odoo.

``fetch`` (plan → pages → window, in any thread), ``schedule`` (when a link is due again), ``identity`` (identifiers of
transactions), ``matching`` (known, changed or new), ``likeness`` (similarity, and windows that shift), ``adoption``
(lines that exist already), ``decide`` (one decision for each transaction), ``windows``, ``periods``, ``beginning`` (the
opening balance), ``duplicates``, ``refusals``, ``accounts`` (identity of accounts), ``status`` (what card and form show
of a link).
"""
