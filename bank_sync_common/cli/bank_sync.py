"""``odoo bank_sync``: what administrators do at the command line."""

import sys

from odoo import SUPERUSER_ID, api
from odoo.cli import Command
from odoo.modules.module import Manifest
from odoo.modules.registry import Registry
from odoo.sql_db import db_connect
from odoo.tools import config
from odoo.tools.parse_version import parse_version

ADDONS = (
    *("bank_sync_common", "account_online_synchronization", "bank_sync_proxy", "bank_sync_proxy_server"),
    *("account_online_reconcile", "bank_statement_formats", "account_online_files"),
)
#: Models that hold secrets, and models that check an installation. Only those whose addon is installed are used.
SECRETS = ("bank.sync.vault", "account.online.service")
DOCTORS = ("account.online.doctor", "bank.sync.doctor")
NOT_INSTALLED = "Neither account_online_synchronization nor bank_sync_proxy is installed in this database."
SIGNS = {"ok": "ok     ", "advice": "advice ", "problem": "PROBLEM"}


class BankSync(Command):
    """Check bank synchronization, and re-encrypt its secrets.

    doctor     check the installation, and say what to do
    reencrypt  after a change of the master key: encrypt everything with the new key
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
        if task == "doctor":
            check_addons(names[0])
        with Registry(names[0]).cursor() as cr:
            # sudo: a user who can start a command has the configuration, and with it the whole database
            sys.exit(getattr(self, task)(api.Environment(cr, SUPERUSER_ID, {})))

    @staticmethod
    def installed(env, models):
        found = [env[model] for model in models if model in env]
        if not found:
            sys.exit(NOT_INSTALLED)
        return found

    def reencrypt(self, env):
        """:return: exit status: 1 where a secret can be read with neither key"""
        unreadable = 0
        for model in self.installed(env, SECRETS):
            counts = model._reencrypt(lambda done, left: say(f"{done} done, {left} left"))
            env.cr.commit()
            unreadable += counts["unreadable"]
            say(
                f"{model._description}: {counts['reencrypted']} encrypted with the new key, {counts['already']} "
                f"already were, {counts['unreadable']} can't be decrypted with either key."
            )
        if unreadable:
            say("What neither key decrypts was encrypted with an older one and is lost: reconnect these banks.")
        say("bank_sync_second_key is no longer needed once every server runs with the new bank_sync_key.")
        return bool(unreadable)

    def doctor(self, env):
        """:return: exit status: 1 where there is a problem"""
        findings = [finding for model in self.installed(env, DOCTORS) for finding in model._examine()]
        problems = report(findings)
        say(f"{len(findings)} checks, {problems} problems.")
        env.cr.rollback()
        return bool(problems)


# -------------------------------------------------------------------------
# VERSIONS OF THE ADDONS
# -------------------------------------------------------------------------


def check_addons(database):
    """The first check, for both sides: ends the command where files were replaced and no update was run.

    Why without the models: they would query columns that the database does not have yet.
    """
    with db_connect(database).cursor() as cr:
        cr.execute("SELECT to_regclass('ir_module_module')")
        if not cr.fetchone()[0]:
            sys.exit(NOT_INSTALLED)
        cr.execute(
            "SELECT name, state, latest_version FROM ir_module_module"
            " WHERE name IN %s AND state NOT IN ('uninstalled', 'uninstallable') ORDER BY name",
            [ADDONS],
        )
        findings = list(compare_with_disk(database, cr.fetchall()))
    if problems := report(findings):
        say(f"{len(findings)} checks, {problems} problems. Solve these first, then start again for the other checks.")
        sys.exit(1)


def compare_with_disk(database, addons):
    """
    :param addons: list of (name, state, version) as the database has them
    :return: findings as the doctors give them
    """
    files = {name: Manifest.for_addon(name, display_warning=False) for name, _state, _version in addons}
    behind = [
        name
        for name, state, version in addons
        if files[name] and (state != "installed" or is_older(version, files[name].version))
    ]
    update = f"Stop Odoo, and run: odoo -c {config['config']} -d {database} -u {','.join(behind)} --stop-after-init"
    for name, state, version in addons:
        if not files[name]:
            sentence = "is installed, but its files are not found. Correct addons_path in odoo.conf."
            yield "problem", "version", f"{name} {sentence}"
        elif name in behind:
            sentence = f"is {version} in the database and {files[name].version} on the disk"
            more = "" if state == "installed" else f", and its state is “{state}”"
            yield "problem", "version", f"{name} {sentence}{more}. {update}"
        elif version != files[name].version:
            sentence = f"is {version} in the database, but only {files[name].version} on the disk"
            yield "problem", "version", f"{name} {sentence}. Put the newer files back, and start Odoo again."
        else:
            yield "ok", "version", f"{name} {version}"


def is_older(version, other):
    return parse_version(version or "0") < parse_version(other)


def report(findings):
    """:return: number of problems"""
    for level, subject, sentence in findings:
        say(f"{SIGNS[level]}  {subject}: {sentence}")
    return [level for level, *_finding in findings].count("problem")


def say(line):
    sys.stdout.write(f"{line}\n")
