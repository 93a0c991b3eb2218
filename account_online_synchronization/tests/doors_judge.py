"""Whether the effects of a call are those that doors_table allows. Each finding is a sentence."""

import fnmatch
import json

from .doors_audit import SHARED
from .doors_table import (
    ACCOUNTANT,
    ADMINISTRATOR,
    EVERYBODY,
    HARMLESS,
    INVOICING,
    METHODS,
    NOTES,
    ODOO,
    RANKS,
    READERS,
    SERVER_FIELDS,
    SETTABLE,
    SHOWN,
)

#: What is of the whole database.
NO_COMPANY = ("bank.sync.", "account.online.service")

#: Our tables that every accounting administrator of the database may change, whatever their company.
SHARED_TABLES = ("account_online_service",)

#: Prefixes of tables in which a call may create rows only if doors_table allows it.
PROTECTED = ("account_online_", "bank_sync_", "ir_", "res_users", "res_groups", "res_company")


class Judge:
    """:param caller: see test_every_door; ``caller.foreign`` is None for a user of the attacked company"""

    def __init__(self, case, caller):
        self.case, self.caller, self.env = case, caller, case.env
        self.tables = {name: model._table for name, model in case.env.items()}
        self.models = {table: name for name, table in self.tables.items()}
        self.transient = {model._table for model in case.env.values() if model._transient}
        self.relations_of_wizards = {
            field.relation: name
            for name, model in case.env.items()
            if model._transient
            for field in model._fields.values()
            if field.type == "many2many" and field.store
        }

    def may(self, who):
        ranks = {**RANKS, "administrator": (EVERYBODY, INVOICING, ACCOUNTANT, ADMINISTRATOR)}
        return who in (ODOO, *ranks[self.caller.rank])

    # -------------------------------------------------------------------------
    # WHAT CAME BACK
    # -------------------------------------------------------------------------

    def leaks(self, call, answer):
        """:return: generator of sentences about values of the company that stand in the answer"""
        for model, name in sorted(self.case.canaries.found_in(answer.text)):
            if not self._may_see(model, name):
                yield f"{call} told {model}.{name}"
        if call.why.startswith("hidden") and answer.is_success and answer.result:
            # Why: who may ask whether a field has a value finds it out, letter by letter.
            yield f"{call} answered: {str(answer.result)[:100]}"
        if call.method == "search" and not self._may_see(call.model, None):
            found = set(self.case.ids_of(self.case.a, call.model))
            if answer.is_success and isinstance(answer.result, list) and found & set(answer.result):
                yield f"{call} told which records there are"

    def _may_see(self, model, name):
        if self.caller.foreign and not model.startswith(NO_COMPANY):
            return False
        field = self.env[model]._fields.get(name) if model in self.env else None
        if field is not None and field.groups and not self.caller.user.has_groups(field.groups):
            return False
        return self.may(SHOWN.get((model, name)) or READERS[model])

    def answers_too_much(self, call, answer):
        """:return: generator of findings: a method of ours did not refuse a user who may not call it"""
        door = METHODS[f"{call.model}.{call.method}"]
        if answer.is_success and not self.may(door.who) and answer.result not in (None, False, []):
            yield f"{call} answered somebody who may not call it: {str(answer.result)[:200]}"
        if call.method == "action_apply" and answer.is_success and self.case.forged_interventions & set(call.ids or ()):
            yield f"{call} {call.ids} did what is no intervention"

    # -------------------------------------------------------------------------
    # WHAT WAS REQUESTED
    # -------------------------------------------------------------------------

    def requests(self, call, sent):
        """:return: generator of sentences about what the connection service was asked for"""
        door = METHODS.get(f"{call.model}.{call.method}")
        for operation, payload in sent:
            about = self.case.connection_id("A") in json.dumps(payload)
            if about and (self.caller.foreign or not (door and door.asks and self.may(door.who))):
                yield f"{call} asked the connection service about the company's bank: {operation}"
            elif not self.may(ACCOUNTANT):
                yield f"{call} asked the connection service: {operation}"

    # -------------------------------------------------------------------------
    # WHAT HAS CHANGED
    # -------------------------------------------------------------------------

    def effects(self, call, changes):
        """:return: generator of sentences about rows that are not the caller's to change"""
        door = METHODS.get(f"{call.model}.{call.method}")
        talks = call.method.startswith("message_") and call.model in NOTES and self.may(NOTES[call.model])
        made = {table: set(ids) for table, ids in self.case.owned_by_b.items()}
        for change in changes:
            if change.table in HARMLESS:
                continue
            if talks and change.table.startswith("mail_"):
                continue
            if self._is_own(change, made):
                if change.kind == "INSERT" and "id" in change.new:
                    # What refers to it, such as its followers, is the caller's, too.
                    made.setdefault(change.table, set()).add(change.new["id"])
                continue
            # Why never: support cuts off and lets in again, and what it has done stays to be read. The acceptance of a
            # refused database is in the chatter.
            is_erased = (
                change.kind == "DELETE"
                and change.table.startswith("bank_sync_")
                and change.table != "bank_sync_refused_database"
            )
            may_change = (
                not is_erased
                and door
                and self.may(door.who)
                and (not self.caller.foreign or change.table in SHARED_TABLES)
            )
            if may_change and any(fnmatch.fnmatch(change.table, pattern) for pattern in door.changes):
                continue
            yield f"{call} changed {change}"

    def _is_own(self, change, made):
        """Whether it is about the caller's company only, or a record that the caller may create and no other user owns.

        :param dict made: from tables to the ids of the caller's company, those that were made just now included
        """
        audit, uid = self.case.audit, self.caller.user.id
        row = change.new or change.old
        if self.caller.foreign:
            if audit.touches(change, self.case.owned_by_a, self.tables) or change.table.startswith("bank_sync_"):
                return False
            if audit.touches(change, made, self.tables) or self._is_stamp(change):
                return True
            # What Odoo makes for him without saying for which company, such as the account of a new journal.
            is_new = change.kind == "INSERT" and row.get("create_uid") == uid
            return (change.table in self.transient and row.get("create_uid") == uid) or (
                is_new and not change.table.startswith(PROTECTED)
            )
        if change.table in self.transient:
            # The contents of a wizard are checked by its fields; its owner is the user who created it.
            return {(one or row).get("create_uid") for one in (change.old, change.new)} == {uid}
        if change.table in self.relations_of_wizards:
            # The relations of a wizard have no effect before its action, which is checked as a separate door.
            return self.may(READERS[self.relations_of_wizards[change.table]])
        if self._is_ours(change.table):
            return False
        # Why: what Odoo lets accountants do in their own company is Odoo's business, apart from our columns.
        return self.may(INVOICING) and not self.forged_columns(change)

    @staticmethod
    def _is_stamp(change):
        """A write without new values, as when Odoo activates a currency: only the log fields change."""
        return change.table in SHARED and change.kind == "UPDATE" and change.columns() <= {"write_date", "write_uid"}

    def _is_ours(self, table):
        return table.startswith(("account_online_", "bank_sync_", "account_missing_", "account_duplicate_"))

    def forged_columns(self, change):
        """:return: columns that only the synchronization sets"""
        return change.columns() & SERVER_FIELDS.get(self.models.get(change.table), set())

    def took(self, what, call, changes, model, name, value):
        """:return: generator: a field that the server sets has taken a value from RPC"""
        if name in SETTABLE.get(model, ()) or (model not in SETTABLE and name not in SERVER_FIELDS.get(model, ())):
            return
        table, field = self.tables[model], self.env[model]._fields[name]
        for change in changes:
            row = change.new or {}
            if change.table == table and field.column_type and self._same(row.get(name), value):
                yield f"{call} {what}: {model}.{name} took {str(value)[:80]} from a caller"
                return
            if field.type == "one2many" and change.table == self.tables[field.comodel_name]:
                yield f"{call} {what}: {model}.{name} changed {change}"
                return

    @staticmethod
    def _same(stored, value):
        return (
            stored not in (None, False, "", 0)
            and json.dumps(stored, default=str)[:500] == json.dumps(value, default=str)[:500]
        )
