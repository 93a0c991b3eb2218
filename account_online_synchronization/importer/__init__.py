"""From protocol transactions to statement lines.

Pure Python: ``identity`` (what a transaction is recognised by), ``matching`` (known, changed or new), ``likeness``
(which of several alike, and windows that shift), ``adoption`` (lines that were there before), ``decide`` (what becomes
of each transaction), ``windows``, ``periods``. With Odoo: ``books`` (reads what is stored), ``storing`` (applies
decisions), ``comparing`` (shows them), ``writer`` (lines), ``statements``, ``partners``.
"""
