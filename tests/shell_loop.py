"""What Odoo's shell runs for tests: scripts that arrive one after the other, each in a separate transaction.

Why one process: a new one needs seconds for Odoo and its registry, and a test runs several scripts.
"""

import json
import os
import traceback
from multiprocessing.connection import Client

import odoo
from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.sql_db import close_db

env = globals()["env"]  # the shell's own
name = env.cr.dbname
env.cr.close()
close_db(name)


def run(script):
    """:return: JSON of the script's variable ``result``"""
    registry = Registry(name).check_signaling()
    # As a new process: without caches of earlier scripts or SQL changes, and without signalling other processes.
    registry.clear_all_caches()
    registry.cache_invalidated.clear()
    with registry.cursor() as cr:
        context = api.Environment(cr, SUPERUSER_ID, {})["res.users"].context_get()
        own = api.Environment(cr, SUPERUSER_ID, context)
        names = {"odoo": odoo, "env": own, "self": own.user, "result": None, "__name__": "__main__"}
        exec(script, names)
        # Why before the commit: a script that fails changes nothing.
        answer = json.dumps(names["result"])
        names["env"].cr.commit()
        return answer


with Client(os.environ["BANK_SYNC_SHELL"]) as line:
    while True:
        try:
            wanted = line.recv()
        except EOFError:
            os._exit(0)
        try:
            answer = (True, run(wanted))
        except BaseException:
            answer = (False, traceback.format_exc())
        # Why: a database with sessions can neither be copied nor dropped.
        close_db(name)
        line.send(answer)
