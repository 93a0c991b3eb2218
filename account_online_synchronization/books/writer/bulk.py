"""Creates posted statement lines in bulk, with the same stored values as Odoo's ``create()``.

Odoo itself creates and posts one line of the batch, the *pilot*. The others become copies of its rows in the four
tables, with the columns that differ (:mod:`.rows`, :mod:`.numbers`) in place of the pilot's. Before that, the same
columns are computed for the pilot and compared with what Odoo has stored; after it, everything that other addons do to
a new line is done (:mod:`.hooks`, :mod:`.overrides`). If any of this does not hold, the batch is created by Odoo's own
``create()``, and :attr:`Bulk.reason` says why. docs/writer.md explains why each step is right.
"""

import logging

import psycopg2

from odoo import fields
from odoo.tools.mail import generate_tracking_message_id

from . import tables
from .columns import GIVEN, ITEM, LINE, MOVE, Columns, plain
from .hooks import MARK, Written
from .numbers import Name, draw, is_uniform
from .overrides import others_checks, others_extend, skipped_overrides
from .rows import Rows

_logger = logging.getLogger(__name__)

#: Context key of ``account.bank.statement.line.create()``, with a :class:`Bulk`.
BULK = "online_bulk"

#: Below it, Odoo's ``create()`` is as fast: the pilot costs as much as some lines.
MIN_LINES = 20

MESSAGE = "mail.message"

#: How Odoo makes analytic items.
ANALYTIC = ("_create_analytic_lines", "_prepare_analytic_lines")


class NotCovered(Exception):
    """The batch must be created by Odoo; the message says why."""


def require(holds, otherwise):
    if not holds:
        raise NotCovered(otherwise)


class Bulk:
    """Creates lines, batch by batch.

    :ivar reason: why lines were created one by one, None where none were
    """

    def __init__(self):
        self.reason = None
        #: Cache of Odoo's computations by partner and currency; a run takes seconds.
        self.of_partners = {}
        #: Fields of other records that other addons compute from new lines; None before the first batch.
        self.triggers = None
        #: Whether the bulk way has turned out to be impossible, so that no further batch is tried.
        self.has_given_up = False

    def create_lines(self, model, vals_list, create):
        """
        :param model: empty recordset of ``account.bank.statement.line``
        :param vals_list: list of values, as for ``create()``
        :param create: ``super().create``
        :return: the new lines, in the order of ``vals_list``; the caller updates the balances of statements
        """
        if len(vals_list) < MIN_LINES or self.has_given_up:
            return create(vals_list)
        try:
            batch = Batch(model, vals_list, self)
        except NotCovered as reason:
            self._note(reason)
            # Why separate: overrides are checked once, values for each batch.
            self.has_given_up = self.triggers is None
            return create(vals_list)
        before = tables.reserve(model.env.cr, model._table, batch.first)
        pilot = create([vals_list[batch.first]])
        model.env.flush_all()
        try:
            with model.env.cr.savepoint():
                others = batch.write_others(pilot, before)
            # Why after the savepoint, which flushes tracking: changes of new entries are not tracked.
            (pilot.move_id + batch.moves)._track_discard()
        except NotCovered as reason:
            self._note(reason)
            self.has_given_up = True
            others = create(batch.without_first(vals_list))
        except (psycopg2.IntegrityError, psycopg2.DataError) as refusal:
            # Why not the whole message of PostgreSQL: it contains the values.
            self._note(refusal.diag.message_primary)
            others = create(batch.without_first(vals_list))
        ids = list(others._ids)
        ids.insert(batch.first, pilot.id)
        return pilot.browse(ids)

    def check_overrides(self, env):
        """Why once: installed addons do not change during a run.

        :raise NotCovered: where another addon extends a method of Odoo that the writer skips
        """
        if self.triggers is None:
            skipped = skipped_overrides(env)
            require(not skipped, f"it would skip {', '.join(skipped)}")
            self.triggers = env[LINE]._others_triggers((MOVE, LINE, ITEM))

    def _note(self, reason):
        self.reason = self.reason or str(reason).strip()
        _logger.info("Statement lines are created one by one: %s", reason)


class Batch:
    """Lines of one journal.

    :param bulk: :class:`Bulk` that they are part of
    :raise NotCovered: when the values alone show that Odoo must create the batch
    """

    def __init__(self, model, vals_list, bulk):
        self.env, self.bulk = model.env, bulk
        bulk.check_overrides(model.env)
        self.values = [{**values, "date": fields.Date.to_date(values.get("date"))} for values in vals_list]
        self.columns = Columns(self.env, self.values[0])
        self.journal = self._check_values()
        self.rows = Rows(self.journal)
        self._check_amounts()
        #: Indexes in the order in which Odoo gives numbers; the pilot is the first of them.
        self.order = sorted(range(len(self.values)), key=self._number_key)
        self.first = self.order[0]

    def without_first(self, vals_list):
        return vals_list[: self.first] + vals_list[self.first + 1 :]

    def _number_key(self, index):
        values = self.values[index]
        return values["date"], values.get("ref") or "", index

    # -------------------------------------------------------------------------
    # WHAT IS COVERED
    # -------------------------------------------------------------------------

    def _check_values(self):
        """:return: the ``account.journal`` of all lines"""
        require(len({frozenset(values) for values in self.values}) == 1, "the lines have different fields")
        unusual = set(self.values[0]) - self.columns.own - {"journal_id", "date", "ref", "move_type"}
        require(not unusual, f"a line is created with {', '.join(sorted(unusual))}")
        require(all(values["date"] and values.get("journal_id") for values in self.values), "a line has no date")
        for name in GIVEN:
            # Why: the override would be called several times for each field, and for other fields than by Odoo.
            is_extended = others_extend(self.env[name], "_compute_field_value")
            require(not is_extended, f"another addon follows every computed field of {name}")
        journal = self.env["account.journal"].browse({values["journal_id"] for values in self.values})
        require(len(journal) == 1, "the lines are of several journals")
        require(journal.suspense_account_id and journal.default_account_id, "the journal lacks an account")
        require(not journal.restrict_mode_hash_table, "the journal secures its entries with a hash")
        first_day = min(values["date"] for values in self.values)
        locked = journal.company_id._get_violated_lock_dates(first_day, False, journal)
        require(not locked, "there are days in a locked period")
        partners = self.env["res.partner"].browse({values.get("partner_id") or None for values in self.values} - {None})
        # sudo: reads companies only to reject partners of another one
        require(partners.sudo().company_id <= journal.company_id, "a partner belongs to another company")
        return journal

    def _check_amounts(self):
        unit = self.rows.unit
        for values in self.values:
            foreign_id = values.get("foreign_currency_id")
            foreign = self.rows.unit_of(foreign_id) if foreign_id else unit
            amount, foreign_amount = values.get("amount"), values.get("amount_currency")
            require(not foreign_id or foreign.currency.active, "a currency is not active")
            require((foreign is not unit) == bool(foreign_amount), "a line has half of a foreign amount")
            is_round = _is_round(unit, amount) and _is_round(foreign, foreign_amount)
            require(is_round, "an amount has more decimals than its currency")

    def _check_pilot(self, pilot):
        """:return: dict from model to the pilot's records; the bank account's item comes before its counterpart"""
        move = pilot.move_id
        accounts = self.journal.default_account_id + self.journal.suspense_account_id
        items = move.line_ids.sorted(lambda item: item.account_id != accounts[0])
        require(items.mapped("account_id") == accounts and len(items) == 2, "Odoo makes other journal items")
        require(move.state == "posted" and move.date == self.values[self.first]["date"], "Odoo posts it differently")
        require(not (move.is_storno or items[0].is_storno), "the company corrects with negative amounts")
        # sudo: reads the messages of the entry that was just written, to compare them
        messages = self.env[MESSAGE].sudo().search([("model", "=", MOVE), ("res_id", "=", move.id)])
        require(len(messages) <= 1, "entries have more than one message")
        require(move.message_follower_ids.partner_id <= self._follower(), "entries have other followers")
        pilots = {MOVE: move, LINE: pilot, ITEM: items, MESSAGE: messages}
        related = tables.related(self.env.cr, pilots.values())
        require(not related, f"entries have {', '.join(related)}")
        return pilots

    # -------------------------------------------------------------------------
    # WRITING
    # -------------------------------------------------------------------------

    def write_others(self, pilot, before):
        """
        :param pilot: the line that Odoo has created
        :param before: ids reserved for the lines before the pilot
        :return: all lines but the pilot, in their order
        """
        pilots = self._check_pilot(pilot)
        tables_used = [records._table for records in pilots.values()]
        self.types = tables.columns(self.env.cr, tables_used)
        names = self._ask_odoo(pilot)
        self._compare(pilots)
        rows = self._all_rows(pilots, before, names)
        copies = [
            (record._table, self.types[record._table], record.id, self.columns.complete(record, some))
            for model, records in pilots.items()
            for record, some in zip(records, rows[model], strict=True)
        ]
        tables.copy(self.env.cr, copies)
        self.env.invalidate_all(flush=False)
        written = {
            model: records.browse(row["id"] for of_line in zip(*rows[model], strict=True) for row in of_line)
            for model, records in pilots.items()
        }
        self.pilot, self.moves = pilots[MOVE], written[MOVE]
        self._let_others_work(written, rows)
        return written[LINE]

    def _ask_odoo(self, pilot):
        """Call Odoo's methods, also extended by other addons, whose result holds for many lines.

        :return: dict from index to :class:`~.numbers.Name`
        """
        move = self._virtual(pilot.date)
        require(is_uniform(move), "the journal's entries are numbered in several ways")
        accounts = self.journal.default_account_id + self.journal.suspense_account_id
        kept = ("asset_cash", "liability_credit_card")
        self.can_have_residual = [account.reconcile or account.account_type in kept for account in accounts]
        self.sequence = pilot.sequence
        self.amounts = [self.rows.amounts(values) for values in self.values]
        self._ask_of_partners()
        others = self.order[1:]
        days = [self.values[index]["date"] for index in others]
        return dict(zip(others, draw(self._virtual, days), strict=True))

    def _virtual(self, day, **values):
        """An unsaved entry of the journal, for Odoo's computations."""
        Move = self.env[MOVE].with_context(is_statement_line=True)
        return Move.new({"move_type": "entry", "journal_id": self.journal.id, "date": day, **values})

    def _ask_of_partners(self):
        """Compute the columns of an entry that depend on its partner and currency."""
        known, day = self.bulk.of_partners, self.values[self.first]["date"]
        keys = [key for key in dict.fromkeys(map(self._partner_key, self.values, self.amounts)) if key not in known]
        moves = {key: self._virtual(day, partner_id=key[1], currency_id=key[2]) for key in keys}
        # Why: fiscal positions are computed for one partner at a time, which would read each with its own query.
        partners = self.env["res.partner"].browse({key[1] for key in keys} - {None})
        partners.with_company(self.journal.company_id).mapped("property_account_position_id")
        together = self.env[MOVE].concat(*moves.values())
        known.update((key, {}) for key in moves)
        for field in self.columns.of_partner:
            for key, move in zip(moves, together, strict=True):
                known[key][field.name] = plain(field, field.convert_to_write(move[field.name], move))

    def _partner_key(self, values, amounts):
        return self.journal, values.get("partner_id") or None, amounts.unit.id

    def _compare(self, pilots):
        """Why: this detects any value that Odoo computes differently from this module."""
        move = pilots[MOVE]
        name = Name(move.name, move.sequence_prefix, move.sequence_number)
        rows = self._rows(self.first, name, pilots[LINE].id, move.id, pilots[ITEM]._ids)
        for model in (MOVE, LINE, ITEM):
            computed = {field.name for field in self.columns.computed[model]}
            for record, row in zip(pilots[model], rows[model], strict=True):
                found = tables.differences(self.env.cr, record._table, self.types[record._table], record.id, row)
                found = set(found) - computed
                require(not found, f"Odoo stores another {model} {', '.join(sorted(found))}")

    def _all_rows(self, pilots, before, names):
        """:return: dict from model to lists of rows, one list for each of the pilot's records"""
        indexes = [index for index in range(len(self.values)) if index != self.first]
        count = len(indexes)
        line_ids = before + tables.reserve(self.env.cr, pilots[LINE]._table, count - len(before))
        move_ids = tables.reserve(self.env.cr, pilots[MOVE]._table, count)
        item_ids = tables.reserve(self.env.cr, pilots[ITEM]._table, 2 * count)
        message_ids = tables.reserve(self.env.cr, pilots[MESSAGE]._table, count * len(pilots[MESSAGE]))
        rows = {MOVE: [[]], LINE: [[]], ITEM: [[], []], MESSAGE: [[] for _message in pilots[MESSAGE]]}
        for number, index in enumerate(indexes):
            of_line = self._rows(
                index, names[index], line_ids[number], move_ids[number], item_ids[2 * number : 2 * number + 2]
            )
            for model, some in of_line.items():
                for copies, row in zip(rows[model], some, strict=True):
                    copies.append(row)
        # Why one for all: Odoo does the same for the entries of one batch.
        message = {"message_id": generate_tracking_message_id("message-notify")}
        for copies in rows[MESSAGE]:
            copies += [
                {"id": message_id, "res_id": move_id, **message}
                for message_id, move_id in zip(message_ids, move_ids, strict=True)
            ]
        return rows

    def _rows(self, index, name, line_id, move_id, item_ids):
        """:return: dict from model to the rows of one line"""
        values, amounts = self.values[index], self.amounts[index]
        move = self.rows.move(move_id, line_id, name, values, amounts)
        move.update(self.bulk.of_partners[self._partner_key(values, amounts)])
        line = self.rows.line(line_id, move_id, values, amounts, values.get("sequence", self.sequence))
        items = self.rows.items(item_ids, move, values, amounts, self.can_have_residual)
        return {MOVE: [move], LINE: [{**self.columns.given(values), **line}], ITEM: items}

    # -------------------------------------------------------------------------
    # WHAT BELONGS TO A NEW LINE
    # -------------------------------------------------------------------------

    def _let_others_work(self, written, rows):
        """Followers, what Odoo and other addons compute or do automatically, and their checks."""
        moves, items, lines = written[MOVE], written[ITEM], written[LINE]
        # Why: other addons see these entries as new, and their changes of new entries are not tracked.
        moves._track_discard()
        if follower := self._follower():
            self.env["mail.followers"]._insert_followers(
                MOVE, moves.ids, follower.ids, subtypes=None, customer_ids=[], check_existing=False
            )
        self._recompute(written)
        if rows[MESSAGE] and others_extend(moves, "_creation_message"):
            said = {move._creation_message() for move in self.pilot + moves}
            require(len(said) == 1, "entries have different messages")
        Written(moves, items).call(
            # Why only then: preparing unused values takes as long as preparing the rows.
            self._shown_moves(rows) if others_extend(moves, "create") else [],
            self._shown_items(rows) if others_extend(items, "create") else [],
            self._shown_joins(lines) if others_extend(moves, "write") else (),
        )
        if others_extend(lines, "write", "_synchronize_to_moves"):
            # Why one by one and empty: Odoo calls it like this for each new entry.
            for line in lines.with_context(skip_account_move_synchronization=True):
                line.write({})
        self._recompute(written)
        self._recompute_elsewhere(written)
        is_analytic = any(field.name == "analytic_distribution" for field in self.columns.computed[ITEM])
        if not is_analytic and others_extend(items, "_related_analytic_distribution"):
            related = any(item._related_analytic_distribution() for item in items)
            require(not related, "another addon distributes entries analytically")
        if others_extend(items, *ANALYTIC):
            items._create_analytic_lines()
        elif is_analytic:
            items.filtered("analytic_distribution")._create_analytic_lines()
        for records in (moves, lines, items):
            records.check_access("create")
            for check in others_checks(records):
                # sudo: calls constraints of Odoo and of other addons, as Odoo itself does after create()
                check(records.sudo())
        self.env.flush_all()

    def _follower(self):
        """:return: the ``res.partner`` who follows records that the user creates"""
        user = self.env.user
        skipped = self.env.context.get("mail_create_nosubscribe") or not user.active or user.share
        return user.partner_id.browse() if skipped else user.partner_id

    def _recompute(self, written):
        for model, computed in self.columns.computed.items():
            for field in computed:
                self.env.add_to_compute(field, written[model])

    def _recompute_elsewhere(self, written):
        """Mark fields that other addons or users compute on records to which new lines refer."""
        for model, tree in self.bulk.triggers.items():
            # sudo: as in Odoo's own triggers; fields are only marked to be computed
            new = written[model].sudo().with_context(active_test=False)
            for field, records, _is_created in new._modified_triggers(tree, create=True):
                self.env.add_to_compute(field, records)

    def _shown_moves(self, rows):
        """:return: values of the entries, as other addons see them in Odoo's ``create()``"""
        journal_id = self.journal.id
        return [
            {
                "move_type": "entry",
                "journal_id": journal_id,
                "date": fields.Date.to_date(row["date"]),
                "ref": row["ref"],
                "partner_id": row["partner_id"],
                MARK: row["id"],
            }
            for row in rows[MOVE][0]
        ]

    def _shown_joins(self, lines):
        """:return: values that Odoo writes to each entry after creating its statement line"""
        narration = self.pilot.narration
        return [{"statement_line_id": line.id, "narration": narration, "name": False} for line in lines]

    def _shown_items(self, rows):
        """:return: values of the items, as other addons see them in Odoo's ``create()``"""
        accounts = self.journal.default_account_id, self.journal.suspense_account_id
        names = ("name", "move_id", "partner_id", "currency_id")
        numbers = ("amount_currency", "debit", "credit")
        return [
            {
                "account_id": account.id,
                **{name: row[name] for name in names},
                **{name: float(row[name]) for name in numbers},
                MARK: row["id"],
            }
            for pair in zip(*rows[ITEM], strict=True)
            for account, row in zip(accounts, pair, strict=True)
        ]


def _is_round(unit, amount):
    return not amount or abs(unit.round(amount) - amount) < 1e-9
