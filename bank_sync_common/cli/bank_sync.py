"""``odoo bank_sync``: what administrators do at the command line."""

import sys

from odoo import SUPERUSER_ID, api
from odoo.cli import Command
from odoo.modules.registry import Registry
from odoo.tools import config

#: Models that have secrets, and models that check an installation; those that are installed answer.
SECRETS = ("bank.sync.vault", "account.online.service")
DOCTORS = ("account.online.doctor", "bank.sync.doctor")
SIGNS = {"ok": "ok     ", "advice": "advice ", "problem": "PROBLEM"}


class BankSync(Command):
    """Look after bank synchronization.

    doctor     check everything that support would ask about, and say what to do
    reencrypt  after the master key was changed: encrypt everything with the new one
    """

    name = "bank_sync"

    def run(self, args):
        task, *options = args or ("",)
        if task not in ("doctor", "reencrypt"):
            sys.exit(f"{self.parser.format_help()}\n{self.prog} doctor|reencrypt -d DATABASE [-c odoo.conf]")
        config.parser.prog = f"{self.prog} {task}"
        config.parse_config(["--no-http", *options], setup_logging=True)
        names = config["db_name"]
        if len(names) != 1:
            sys.exit("Name one database: -d DATABASE")
        with Registry(names[0]).cursor() as cr:
            # sudo: a user who can start a command has the configuration, and with it the whole database
            sys.exit(getattr(self, task)(api.Environment(cr, SUPERUSER_ID, {})))

    @staticmethod
    def installed(env, models):
        found = [env[model] for model in models if model in env]
        if not found:
            sys.exit("Neither account_online_synchronization nor bank_sync_proxy is installed in this database.")
        return found

    def reencrypt(self, env):
        """:return: exit status: 1 where a secret can be read with neither key"""
        unreadable = 0
        for model in self.installed(env, SECRETS):
            counts = model._reencrypt(lambda done, left: say(f"{done} done, {left} left"))
            env.cr.commit()
            unreadable += counts["unreadable"]
            say(
                f"{model._description}: {counts['reencrypted']} encrypted with the new key, {counts['already']} were "
                f"before, {counts['unreadable']} can be read with neither key."
            )
        if unreadable:
            say("What can be read with neither key was lost with an older one: users connect these banks again.")
        say("bank_sync_second_key is no longer needed once every server runs with the new bank_sync_key.")
        return bool(unreadable)

    def doctor(self, env):
        """:return: exit status: 1 where there is a problem"""
        findings = [finding for model in self.installed(env, DOCTORS) for finding in model._examine()]
        for level, subject, sentence in findings:
            say(f"{SIGNS[level]}  {subject}: {sentence}")
        problems = [level for level, *_finding in findings].count("problem")
        say(f"{len(findings)} checks, {problems} problems.")
        env.cr.rollback()
        return bool(problems)


def say(line):
    sys.stdout.write(f"{line}\n")
