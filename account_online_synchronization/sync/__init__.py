"""What to request, when, and how to import each transaction. docs/architecture.md describes the modules.

Pure Python: nothing here imports Odoo.
"""
