"""The database's side of the protocol (docs/protocol.md). Pure Python: nothing here imports Odoo."""
