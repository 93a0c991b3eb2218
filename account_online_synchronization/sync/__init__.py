"""What is asked, when, and what becomes of the bank's transactions. Pure Python: nothing here imports Odoo.

``fetch`` (plan → pages → window, in any thread), ``schedule`` (when a link is due again), ``identity`` (what a
transaction is recognized by), ``matching`` (known, changed or new), ``likeness`` (which of several alike, and windows
that shift), ``adoption`` (lines that a journal had before), ``decide`` (what becomes of each transaction), ``windows``,
``periods``, ``beginning`` (the opening balance), ``duplicates``, ``refusals``, ``accounts`` (what an account is
recognized by), ``status`` (what card and form show of a link).
"""
