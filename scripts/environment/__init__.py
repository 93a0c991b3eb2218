"""Everything a new machine needs to run the addons: Python packages, Odoo, PostgreSQL, a browser.

Standard library only: this package runs before anything is installed.
"""
