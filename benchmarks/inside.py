"""The process in which one function of a benchmark runs, with Odoo's registry of one database.

Started by :func:`.harness.run_inside`. Arguments: one JSON object with ``database``, ``addons_path`` (list of folders),
``module`` (of this package), ``function`` and its ``arguments``; the function gets ``env`` before them. What it returns
is printed as the last line of stdout, as JSON behind the word RESULT; logs go to stderr.
"""

import importlib
import json
import sys
import threading

# Why the first of all: it sets up what Odoo's own commands run with, the garbage collector's thresholds included.
import odoo.init  # noqa: F401
from odoo.api import SUPERUSER_ID, Environment
from odoo.modules.registry import Registry
from odoo.tools import config

from . import RESULT


def main(task):
    options = ["--no-http", "--max-cron-threads=0", "--log-level=warn", "-d", task["database"]]
    config.parse_config([*options, "--addons-path", ",".join(task["addons_path"])], setup_logging=True)
    threading.current_thread().dbname = task["database"]
    with Registry(task["database"]).cursor() as cr:
        context = Environment(cr, SUPERUSER_ID, {})["res.users"].context_get()
        function = getattr(importlib.import_module(f"benchmarks.{task['module']}"), task["function"])
        result = function(Environment(cr, SUPERUSER_ID, context), **task["arguments"])
    print(RESULT + json.dumps(result), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
