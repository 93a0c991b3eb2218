"""Odoo's command line as a file: a server with several processes starts one of them by its path, which `-m` has not.

In a separate folder, because Python looks for modules beside the file that it executes.
"""

import odoo.cli

if __name__ == "__main__":
    odoo.cli.main()
