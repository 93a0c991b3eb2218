"""From protocol transactions to statement lines.

``identity`` and ``periods`` are pure Python; ``writer`` is the one room that knows Odoo's tables.
"""
