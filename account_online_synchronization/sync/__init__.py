"""What becomes of the bank's transactions. Pure Python: nothing here imports Odoo, or anything that does.

``identity`` (what a transaction is recognized by), ``matching`` (known, changed or new), ``likeness`` (which of several
alike, and windows that shift), ``adoption`` (lines that a journal had before), ``decide`` (what becomes of each
transaction), ``windows``, ``periods``, ``beginning`` (the opening balance), ``duplicates``, ``refusals``.
"""
