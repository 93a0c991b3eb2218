"""Where things are kept: all in one ignored folder of the clone, downloads in the user's cache."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / ".environment"

VENV = HERE / "venv"
PYTHON = VENV / "bin" / "python"
ODOO_PREFIX = HERE / "odoo"
ODOO_CONF = HERE / "odoo.conf"
ODOO_DATA = HERE / "odoo-data"
FILESTORE = ODOO_DATA / "filestore"
POSTGRES = HERE / "postgres"
SCREENSHOTS = HERE / "screenshots"
LOGS = HERE / "logs"
LOCKS = HERE / "locks"
STAMPS = HERE / "stamps"

REQUIREMENTS = ROOT / "requirements"
#: An ordinary installation: the proxy is embedded.
EMBEDDED = ("account_online_synchronization", "bank_sync_proxy")
ADDONS = (
    "bank_sync_common",
    *EMBEDDED,
    "bank_sync_proxy_server",
    "account_online_reconcile",
    "bank_statement_formats",
    "account_online_files",
)


def cache(name):
    """A folder for downloads that other clones of the same user find again."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "account_online_synchronization" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def prepare():
    for folder in (HERE, ODOO_DATA, LOGS, LOCKS, STAMPS):
        folder.mkdir(parents=True, exist_ok=True)
