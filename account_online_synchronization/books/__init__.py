"""The books: the only place that writes the bank's transactions to Odoo.

``run`` (one synchronization: plan → fetch → apply), ``batch`` (many at the same time), ``read`` (what is stored so
far), ``apply`` (decisions become lines, kept transactions and counters), ``compare`` (shows the decisions and applies
none), ``opening``, ``statements``, ``partners``, ``locks``, ``writer`` (the lines).
"""
