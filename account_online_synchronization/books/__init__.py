"""The books: all that brings the bank's transactions into Odoo.

``run`` (one synchronization: plan → fetch → apply), ``batch`` (many at the same time), ``read`` (what is stored so
far), ``apply`` (decisions become lines, kept transactions and counters), ``compare`` (shows the decisions and applies
none), ``kept`` (transactions without a line), ``opening``, ``ledger`` (the opening entry), ``statements``,
``partners``, ``locks``, ``readiness`` (whether a journal can be filled), ``restore``, ``duplicates``, ``undo``,
``writer`` (the lines).
"""
