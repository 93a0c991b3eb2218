"""The world that test_every_door attacks: company A with all that our addons store, and the attackers' company B.

Every text and every amount of company A is replaced by a *canary*: a value that can't be guessed and that identifies
its column, so that any answer to any user can be searched for leaked values.
"""

import base64
import re
from datetime import timedelta

from odoo import fields
from odoo.models import BaseModel
from odoo.tests import new_test_user

from .doors_table import KEPT

ADDONS = (
    "account_online_synchronization",
    "bank_sync_proxy",
    "bank_sync_proxy_server",
    "account_online_reconcile",
    "account_online_files",
)
TEXTS = re.compile(r"zq(\d+)q\d*zq")
AMOUNTS = re.compile(r"(?<![\d.])7[,.]?31(\d)[,.]?(\d{3})(?!\d)")
#: Content of files by the field that holds them: it is looked for as it is and in Base64.
FILES = {
    ("account.move", "attachment"): b"zqFILEmovezq",
    ("account.online.link", "attachment"): b"zqFILElinkzq",
    ("account.online.file", "attachment"): b"zqFILEfilezq",
    ("account.online.run", "raw_answers"): b"zqFILErunszq",
}


def our_classes(registry, model):
    """:return: the Python classes with which our addons define or extend a model"""
    return [
        cls
        for cls in registry[model].__mro__
        if cls.__module__.startswith(tuple(f"odoo.addons.{name}." for name in ADDONS))
    ]


def our_models(env):
    """:return: names of all models that one of our addons defines or extends"""
    return sorted(name for name in env.registry if our_classes(env.registry, name))


def is_ours(env, model):
    """Whether the model itself, and not an extension of it, is from one of our addons."""
    return env[model]._original_module in ADDONS


def our_fields(env, model):
    """:return: dict of those fields that our addons define"""
    return {
        name: field
        for name, field in env[model]._fields.items()
        if is_ours(env, model) or (field._modules and set(field._modules) & set(ADDONS))
    }


def public_methods(env, model):
    """Those that Odoo's base model has, too, are attacked for each model anyway, overridden or not.

    :return: names of the methods that our addons add to a model and that RPC may call
    """
    return sorted(
        {
            name
            for cls in our_classes(env.registry, model)
            for name, value in vars(cls).items()
            if callable(value)
            and not isinstance(value, type)
            and not name.startswith("_")
            and not hasattr(BaseModel, name)
            and not any(
                getattr(getattr(base, name, None), "_api_private", False) for base in env.registry[model].__mro__
            )
        }
    )


class Canaries:
    """Which column each planted value identifies."""

    def __init__(self):
        self.columns = []

    def _number(self, model, field):
        if (model, field) not in self.columns:
            self.columns.append((model, field))
        return self.columns.index((model, field))

    def text(self, model, field, row=""):
        return f"zq{self._number(model, field)}q{row}zq"

    def amount(self, model, field):
        return 7310000 + self._number(model, field)

    def found_in(self, text):
        """:return: set of (model, field) of which a value occurs in the text"""
        numbers = {int(number) for number in TEXTS.findall(text)}
        numbers |= {int(thousand + rest) for thousand, rest in AMOUNTS.findall(text)}
        found = {self.columns[number] for number in numbers if number < len(self.columns)}
        files = {
            column
            for column, content in FILES.items()
            if content.decode() in text or base64.b64encode(content).decode() in text
        }
        return found | files

    def plant(self, env, ids_by_model):
        """Write them into every text and amount of the rows, with SQL: the values need no longer make sense.

        :param dict ids_by_model: records of company A
        """
        for model, ids in ids_by_model.items():
            for name, field in our_fields(env, model).items():
                if not field.store or not field.column_type or name in KEPT.get(model, ()) or not ids:
                    continue
                table, value = env[model]._table, None
                if field.type in ("char", "text", "html") and not field.translate and not getattr(field, "size", None):
                    start = self.text(model, name).removesuffix("zq")
                    value = f"'{start}' || id || 'zq'"
                elif field.type in ("monetary", "float"):
                    value = str(self.amount(model, name))
                if value:
                    env.cr.execute(f'UPDATE "{table}" SET "{name}" = {value} WHERE id IN %s', [tuple(ids)])


class Company:
    """One company with a connected bank and every record that our addons keep for it."""

    def __init__(self, case, data, tag):
        self.case, self.data, self.company, self.tag = case, data, data["company"], tag
        self.env = case.env(context={"allowed_company_ids": self.company.ids, "tracking_disable": True})
        self.journal = data["default_journal_bank"].with_env(self.env)
        self.link = self._connect()
        self.account = self.link.account_online_account_ids.sorted("id")[0]
        self.lines = self.env["account.bank.statement.line"].search([("journal_id", "=", self.journal.id)])
        self.administrator = self.user("manager", "account.group_account_manager", "base.group_partner_manager")
        self._stay_beside_the_books()
        self._open_wizards()
        self._talk()

    def user(self, name, *groups):
        return new_test_user(
            self.case.env,
            login=f"doors-{name}-{self.tag}",
            groups=",".join(groups),
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )

    def _connect(self):
        proxy, tag = self.case.proxy, self.tag
        proxy.accounts.clear()
        for name in ("one", "two"):
            proxy.add_account(f"{name}-{tag}", name=f"Account {name} {tag}", number=f"BE{tag}{name}")
        for number in range(4):
            amount = "5.00" if number < 3 else "-7.00"
            proxy.book(f"T{number}-{tag}", amount, account_id=f"one-{tag}", remittance=[self.case.bank_text(tag)])
        proxy_connection = proxy.dispatch("connections.get", {"connection_id": self.case.connection_id(tag)})[
            "connection"
        ]
        link = (
            self.env["account.online.link"]
            .sudo()
            ._create_from_proxy(proxy_connection, list(proxy.accounts.values()), self.company)
        )
        account = link.account_online_account_ids.filtered(lambda one: one.online_identifier.startswith("one"))
        account._link_journal(self.journal, False, "month")
        link._synchronize(user_present=True, may_defer=False)
        return link

    def _stay_beside_the_books(self):
        """Transactions in every state, runs in every state, loads, progress, events, what was taken over."""
        env = self.env(su=True)
        common = {"account_online_account_id": self.account.id, "journal_id": self.journal.id}
        for state in env["account.online.transaction"]._fields["state"].get_values(env):
            env["account.online.transaction"].create(
                {
                    **common,
                    "state": state,
                    "amount": 3,
                    "date": fields.Date.today(),
                    "online_transaction_identifier": f"{state}-{self.tag}",
                    "transaction_details": {"remittance": [self.case.bank_text(self.tag)]},
                }
            )
        runs = env["account.online.run"]
        for state in runs._fields["state"].get_values(env):
            if state not in ("planned", "running"):
                runs += runs.create({"account_online_link_id": self.link.id, "state": state})
        runs.raw_answers = base64.b64encode(FILES["account.online.run", "raw_answers"])
        env["account.online.load"].create({"run_id": runs[0].id, "account_online_account_id": self.account.id})
        env["account.online.progress"].create(
            {"run_id": runs[0].id, "account_online_account_id": self.account.id, "step": "done"}
        )
        self._propose(env)
        self._keep_file(env)
        env["account.online.event"].create({"kind": "connection.changed", "nonce": f"nonce-{self.tag}"})
        env["account.online.migration"].create(
            {
                **common,
                "account_online_link_id": self.link.id,
                "kind": "link",
                "source": "x",
                "company_id": self.company.id,
            }
        )

    def _propose(self, env):
        """A proposal for a bank line, by the optional addon."""
        account = self.data["default_account_revenue"]
        counterpart = {"kind": "account", "key": account.id, "settles": None, "label": "", "taxes": []}
        counterpart |= {"amount": str(self.lines[0].amount), "partner": None, "analytic": None}
        env["account.reconcile.decision"].create(
            {"statement_line_id": self.lines[0].id, "reasons": [["amount", []]], "counterparts": [counterpart]}
        )

    def _keep_file(self, env):
        """A statement file with its original, by the optional addon."""
        file = env["account.online.file"].create(
            {
                "name": "statement.xml",
                "account_online_account_id": self.account.id,
                "journal_id": self.journal.id,
                "state": "done",
                "line_ids": [(6, 0, self.lines[:1].ids)],
            }
        )
        source = env["account.online.file.source"].create(
            {"name": "Folder", "kind": "folder", "company_id": self.company.id, "journal_id": self.journal.id}
        )
        env["account.online.file.taken"].create({"source_id": source.id, "name": "statement.xml", "state": "failed"})
        original = {"name": "statement.xml", "raw": FILES["account.online.file", "attachment"]}
        env["ir.attachment"].create({**original, "res_model": file._name, "res_id": file.id})

    def _open_wizards(self):
        """A wizard of each kind in each state that it can be in, opened by the company's administrator."""
        env = self.env(user=self.administrator)
        visits = env["account.online.authorization"].sudo()
        for kind in visits._fields["kind"].get_values(env):
            for state in visits._fields["state"].get_values(env):
                visits.create(
                    {
                        "kind": kind,
                        "state": state,
                        "nonce_digest": f"{kind}-{state}-{self.tag}",
                        "link_id": self.link.id,
                        "journal_id": self.journal.id,
                        "connection_identifier": self.case.connection_id(self.tag),
                        "next_action": {"xml_id": self.case.bank_text(self.tag)},
                    }
                )
        env["account.online.opening"].sudo().create(
            {"account_online_account_id": self.account.id, "company_id": self.company.id, "journal_id": self.journal.id}
        )
        env["account.online.renewal"].sudo().create({"link_id": self.link.id, "email": f"owner@{self.tag}.example.com"})
        env["account.online.reversal"].sudo().create({"account_id": self.account.id})
        selection = env["account.online.account.selection"]
        selection._create_for(self.link.with_env(env), refresh=True)
        for step in ("code", "confirm", "agreed"):
            env["account.online.firm"].sudo().create(
                {"step": step, "company_id": self.company.id, "code": self.tag, "client_name": "Books"}
            )
        for mode, step in (("verify", "phone"), ("reactivate", "code")):
            env["account.online.phone"].sudo().create(
                {"mode": mode, "step": step, "kind": "consent", "link_id": self.link.id, "journal_id": self.journal.id}
            )
        first = self.lines[-1].date - timedelta(days=1)
        missing = env["account.missing.transaction.wizard"].create({"journal_id": self.journal.id, "date_from": first})
        missing.action_compare()
        missing.sudo().copy({"state": "choose"})
        missing.sudo().copy({"state": "failed", "error_action": "renew"})
        duplicates = env["account.duplicate.transaction.wizard"].create({"journal_id": self.journal.id, "date": first})
        duplicates.action_search()
        doubled = env["account.duplicate.transaction.wizard"].create({"journal_id": self.journal.id, "date": first})
        line = self.lines.filtered(lambda one: one.amount > 0)[0]
        env["ir.attachment"].sudo().create(
            {
                "name": "secret.txt",
                "raw": FILES["account.move", "attachment"],
                "res_model": "account.move",
                "res_id": line.move_id.id,
            }
        )
        doubled.action_search()
        doubled.chosen = [str(line.id)]
        doubled.action_delete()
        self.lines = self.lines.exists()
        upload = env["ir.attachment"].create({"name": "upload.xml", "raw": FILES["account.online.file", "attachment"]})
        env["account.online.file.import"]._open(self.journal.with_env(env), upload)

    def _talk(self):
        self.link.message_post(body=self.case.bank_text(self.tag))
        self.env["ir.attachment"].sudo().create(
            {
                "name": "letter.txt",
                "raw": FILES["account.online.link", "attachment"],
                "res_model": "account.online.link",
                "res_id": self.link.id,
            }
        )
        self.link.activity_schedule("mail.mail_activity_data_todo", summary=self.case.bank_text(self.tag))


#: What may stand in a row of an intervention, and is none: names of methods, of which one was run as the superuser.
FORGED_ACTIONS = ("unlink", "write", "_block", "_unblock", "_disconnect", "_set_state", "action_apply", "records", "")


def open_interventions(env):
    """Support's wizards: one for each allowed action, and one for each forbidden one, stored nevertheless.

    :return: ids of the latter
    """
    interventions, forged = env["bank.sync.intervention"], set()
    actions = interventions._fields["action"].get_values(env)
    for action in (*actions, *FORGED_ACTIONS):
        client = env["bank.sync.client"].create({"name": "Cut off", "database_uuid": f"intervention {action}"})
        intervention = interventions.create(
            {
                "action": action if action in actions else actions[0],
                "client_ids": client.ids,
                "connection_ids": env["bank.sync.connection"].create({"client_id": client.id}).ids,
                "reason": "Because.",
            }
        )
        if action not in actions:
            env.flush_all()
            env.cr.execute("UPDATE bank_sync_intervention SET action = %s WHERE id = %s", [action, intervention.id])
            forged.add(intervention.id)
    env.invalidate_all()
    return forged


def fill(env, model):
    """A row of a model of which nothing is known but its fields: what is required, with values that fit."""
    values = {}
    for name, field in env[model]._fields.items():
        if not field.required or not field.store or field.related or (field.compute and field.readonly):
            continue
        if field.type == "many2one":
            values[name] = (env[field.comodel_name].search([], limit=1) or fill(env, field.comodel_name)).id
        elif field.type == "selection":
            values[name] = field.get_values(env)[0]
        elif field.type in ("char", "text"):
            values[name] = f"filled {name}"
        elif field.type == "datetime":
            values[name] = fields.Datetime.now()
        elif field.type in ("integer", "float"):
            values[name] = 1
    return env[model].create(values)
