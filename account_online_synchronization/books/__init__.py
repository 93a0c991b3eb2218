"""The books: everything that writes the bank's transactions to Odoo. docs/architecture.md describes the modules."""
