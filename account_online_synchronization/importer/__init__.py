"""From protocol transactions to statement lines.

Pure Python: ``identity`` (what a transaction is recognised by), ``matching`` (known, changed or new), ``adoption``
(lines that were there before), ``windows``, ``periods``. With Odoo: ``storing`` (the order of things), ``writer``
(lines), ``statements``, ``partners``.
"""
