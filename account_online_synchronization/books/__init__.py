"""The books: everything that writes the bank's transactions to Odoo.

``run`` (one synchronization: plan → fetch → apply), ``batch`` (many at the same time), ``read`` (stored
transactions), ``apply`` (decisions become lines, kept transactions and counters), ``compare`` (shows decisions without
applying them), ``kept`` (transactions without a line), ``opening``, ``ledger`` (the opening entry), ``statements``,
``partners``, ``locks``, ``readiness`` (whether a journal can be filled), ``restore``, ``duplicates``, ``undo``,
``writer`` (the lines).
"""
