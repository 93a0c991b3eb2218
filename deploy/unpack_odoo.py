"""Unpack Odoo 19 into a folder, as scripts/bootstrap does for developers: deploy/unpack_odoo.py /opt/bank_sync/odoo"""

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from environment import console, odoo_package, paths


def main(arguments):
    (target,) = arguments
    paths.prepare()
    odoo_package.check()
    if not odoo_package.is_ready():
        odoo_package.install()
    # Why with links: the package has links to files of the other packages, which are within the same folder.
    shutil.copytree(paths.ODOO_PREFIX, target, symlinks=True)


console.command(main)
