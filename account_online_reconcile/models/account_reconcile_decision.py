import json
import logging
from decimal import Decimal

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..books import apply, habits, manual, words
from ..matching.facts import AUTOMATIC, ITEM, OWN_TRANSFER, PAYMENT, RETURN, STEPS, Counterpart

_logger = logging.getLogger(__name__)

#: Fields in which two equal proposals for a line agree.
PROPOSED = ("step", "is_automatic", "reasons", "counterparts", "rest")


class AccountReconcileDecision(models.Model):
    """The decision for a bank line: a proposal until it is booked, then the record of who booked it, when and why."""

    _name = "account.reconcile.decision"
    _inherit = ["account.online.server.fields"]
    _description = "Reconciliation of a Bank Line"
    _order = "date desc, id desc"
    _check_company_auto = True

    statement_line_id = fields.Many2one(
        "account.bank.statement.line", string="Bank Line", required=True, readonly=True, index=True, ondelete="cascade"
    )
    journal_id = fields.Many2one(related="statement_line_id.journal_id", store=True, index=True)
    company_id = fields.Many2one(related="statement_line_id.company_id", store=True, index=True)
    date = fields.Date(related="statement_line_id.date", store=True)
    label = fields.Char(related="statement_line_id.payment_ref")
    partner_name = fields.Char(related="statement_line_id.partner_name", string="Counterparty")
    amount = fields.Monetary(related="statement_line_id.amount")
    currency_id = fields.Many2one(related="statement_line_id.currency_id")
    state = fields.Selection(
        selection=[("proposed", "Proposed"), ("booked", "Booked"), ("undone", "Undone")],
        required=True,
        readonly=True,
        default="proposed",
        index=True,
    )
    is_automatic = fields.Boolean(
        string="Automatic", readonly=True, help="Odoo has booked it; otherwise a person has accepted the proposal."
    )
    step = fields.Selection(
        selection=[
            ("reference", "Reference"),
            ("document", "Document"),
            ("transfer", "Own Transfer"),
            ("rule", "Rule"),
            ("memory", "Earlier Bookings"),
            ("manual", "By Hand"),
        ],
        string="Found By",
        readonly=True,
    )
    reasons = fields.Json(readonly=True)
    counterparts = fields.Json(readonly=True)
    rest = fields.Monetary(readonly=True, help="The part of the payment for which nothing was found.")
    why = fields.Char(compute="_compute_why")
    what = fields.Char(compute="_compute_what", string="Booked Against")
    booked_items = fields.Json(readonly=True)
    released = fields.Json(readonly=True)
    sets_partner = fields.Boolean(readonly=True)
    booked_by_id = fields.Many2one("res.users", readonly=True)
    booked_at = fields.Datetime(string="Booked On", readonly=True)
    undone_by_id = fields.Many2one("res.users", readonly=True)
    undone_at = fields.Datetime(string="Undone On", readonly=True)

    _one_proposal = models.UniqueIndex(
        "(statement_line_id) WHERE state = 'proposed'", "There is a proposal for this line already."
    )

    # -------------------------------------------------------------------------
    # COMPUTE METHODS
    # -------------------------------------------------------------------------

    @api.depends("reasons", "step")
    @api.depends_context("lang")
    def _compute_why(self):
        for decision in self:
            decision.why = " ".join(decision._get_reasons())

    @api.depends("counterparts")
    def _compute_what(self):
        items = self.env["account.move.line"].browse(self._keys(ITEM, PAYMENT, RETURN)).exists()
        items.fetch(["move_name"])
        lines = self.env["account.bank.statement.line"].browse(self._keys(OWN_TRANSFER)).exists()
        accounts = self.env["account.account"].browse(self._keys("account", "charges")).exists()
        for decision in self:
            names = []
            for one in decision.counterparts or []:
                if one["kind"] in (ITEM, PAYMENT, RETURN):
                    names.append(items.browse(one["key"]).move_name if one["key"] in items.ids else "")
                elif one["kind"] == OWN_TRANSFER:
                    names.append(lines.browse(one["key"]).journal_id.display_name if one["key"] in lines.ids else "")
                elif one["key"] in accounts.ids:
                    names.append(accounts.browse(one["key"]).display_name)
            decision.what = ", ".join(filter(None, names))

    def _keys(self, *kinds):
        return list({one["key"] for decision in self for one in decision.counterparts or [] if one["kind"] in kinds})

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_accept(self):
        """Book the proposals."""
        self._check_may_reconcile()
        self._check_not_left_to_enterprise()
        # sudo: the group, and access to the bank lines, were checked above
        for decision in as_server(self):
            # Why exists(): an earlier booking of the list may have replaced it.
            if not decision.exists() or decision.state != "proposed":
                raise UserError(self.env._("Only a proposal can be accepted. Reload the page to see what was booked."))
            decision._book(self.env.user)

    def action_undo(self):
        """Undo the bookings completely."""
        self._check_may_reconcile()
        # sudo: the group, and access to the bank lines, were checked above
        for decision in as_server(self):
            if decision.state != "booked":
                raise UserError(self.env._("Only what is booked can be undone. Reload the page to see what was done."))
            decision._undo(self.env.user)
            decision._renew_siblings()

    def action_open_line(self):
        """Open the line on the reconciliation screen."""
        self.ensure_one()
        self.check_access("read")
        return self.journal_id._get_reconciliation_action(self.statement_line_id)

    def action_make_rule(self):
        """Create a reconciliation model of Odoo from repeated equal bookings, which books the next such lines.

        :return: action that shows the rule
        """
        self.ensure_one()
        self._check_may_reconcile()
        self._check_not_left_to_enterprise()
        rule = self.env["account.reconcile.model"].create(habits.values_of_rule(self))
        return {
            "type": "ir.actions.act_window",
            "res_model": rule._name,
            "res_id": rule.id,
            "views": [(False, "form")],
            "target": "current",
        }

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _get_reasons(self, without=()):
        """
        :param without: codes that are irrelevant to a manual booking
        :return: list of sentences
        """
        if self.step == "manual":
            return [self.env._("Booked by hand.")]
        return [words.say(self.env, [reason]) for reason in self.reasons or [] if reason[0] not in without]

    def _check_may_reconcile(self):
        """:raise AccessError: where the user may not write to the bank lines"""
        if not self.env.user.has_group("account.group_account_basic"):
            raise AccessError(self.env._("Only accountants book bank lines. Please ask one of them."))
        self.check_access("read")
        self.statement_line_id.check_access("write")

    @api.model
    def _is_left_to_enterprise(self):
        """Whether Enterprise's Accounting is installed, whose own reconciliation would book the same lines."""
        # sudo: only reads whether an addon is installed
        return self.env["ir.module.module"].sudo()._get("account_accountant").state == "installed"

    @api.model
    def _check_not_left_to_enterprise(self):
        if self._is_left_to_enterprise():
            raise UserError(self.env._("The app “Accounting” reconciles bank lines in this database."))

    @api.model
    def _drop_outdated(self, journal):
        """Delete proposals for lines that were booked elsewhere; mark bookings that were undone elsewhere in Odoo."""
        mine = [("journal_id", "=", journal.id)]
        self.search([*mine, ("state", "=", "proposed"), ("statement_line_id.is_reconciled", "=", True)]).unlink()
        is_open = ["|", ("statement_line_id.is_reconciled", "=", False), ("statement_line_id.state", "!=", "posted")]
        self.search([*mine, ("state", "=", "booked"), *is_open])._note_undone_elsewhere()

    def _note_undone_elsewhere(self):
        """Mark bookings that no longer exist; Odoo does not record who has undone them.

        :return: the marked ones
        """
        undone = self.filtered(lambda decision: decision.state == "booked" and not decision._is_booked())
        undone.write({"state": "undone", "undone_at": fields.Datetime.now()})
        return undone

    def _is_booked(self):
        lines = {int(line): items for line, items in (self.booked_items or {}).items()}
        there = self.statement_line_id.browse(lines).exists()
        return len(there) == len(lines) and all(
            apply.is_booked(line, lines[line.id], self.counterparts or []) for line in there
        )

    @api.model
    def _store(self, decisions):
        """Replace the proposals of these lines; unchanged ones are kept.

        :param decisions: list of :class:`~..matching.facts.Decision`
        :return: the proposals
        """
        lines = self.env["account.bank.statement.line"].browse([decision.line for decision in decisions])
        before = self.search([("statement_line_id", "in", lines.ids), ("state", "=", "proposed")])
        there = {proposal.statement_line_id.id: proposal for proposal in before}
        kept, new = self.browse(), []
        undone = self._undone_lines(decisions)
        for decision in decisions:
            values = self._values_of(decision)
            values["is_automatic"] &= undone.isdisjoint(_lines_of(decision))
            proposal = there.get(decision.line)
            if proposal and decision.counterparts and proposal._is_same(values):
                kept += proposal
            elif decision.counterparts:
                new.append(values)
        (before - kept).unlink()
        # Why: new records would read their lines one by one. Why here: deleting clears the cache.
        lines.fetch(["journal_id", "company_id", "currency_id", "date"])
        return kept + self.create(new)

    @api.model
    def _undone_lines(self, decisions):
        """:return: ids of the lines with an undone booking, on which only users decide"""
        lines = {line for decision in decisions if decision.kind == AUTOMATIC for line in _lines_of(decision)}
        undone = self._read_group(
            [("statement_line_id", "in", list(lines)), ("state", "=", "undone")], ["statement_line_id"]
        )
        return {line.id for (line,) in undone}

    def _is_same(self, values):
        """Why as JSON: stored values have lists instead of tuples, and another order of keys."""
        stored, new = ([one[name] for name in PROPOSED] for one in (self, values))
        return json.dumps(stored, sort_keys=True) == json.dumps(new, sort_keys=True)

    def _values_of(self, decision):
        return {
            "statement_line_id": decision.line,
            "step": decision.step if decision.step in STEPS else False,
            "is_automatic": decision.kind == AUTOMATIC,
            "reasons": words.stored(self.env, decision.reasons),
            "counterparts": [self._stored(one) for one in decision.counterparts],
            "rest": float(decision.rest),
        }

    @api.model
    def _stored(self, counterpart):
        settles = counterpart.settles
        return {
            **counterpart._asdict(),
            "amount": str(counterpart.amount),
            "settles": None if settles is None else str(settles),
        }

    def _book_if_possible(self):
        """Book; if Odoo refuses it, as in a locked period, it stays a proposal."""
        booked = self.browse()
        # Why exists(): booking one side of a transfer deletes the proposal of the other side.
        for decision in self:
            if not decision.exists():
                continue
            try:
                # Why flushed inside the savepoint: deferred computations may fail, too.
                with self.env.cr.savepoint():
                    decision._book()
                booked += decision
            except UserError as error:
                _logger.info("Bank line %s was not booked: %s", decision.statement_line_id.id, error)
                decision.is_automatic = False
        # Why once: each call reads the open documents of the company.
        booked._renew_siblings()

    def _book(self, user=None):
        """Book the decision.

        :param user: who has accepted it; None for automatic bookings
        """
        self.ensure_one()
        if self.rest:
            raise UserError(
                self.env._(
                    "Part of the payment has no counterpart: %s. Book this line by hand.",
                    self.currency_id.format(self.rest),
                )
            )
        counterparts = [
            Counterpart(
                **{
                    **one,
                    "amount": Decimal(one["amount"]),
                    "settles": one["settles"] and Decimal(one["settles"]),
                    "taxes": tuple(one["taxes"]),
                }
            )
            for one in self.counterparts or []
        ]
        self._note_booked(apply.book(self.statement_line_id, counterparts), user)

    @api.model
    def _book_by_hand(self, line, parts, user):
        """Book the user's choice instead of a proposal.

        :param parts: sent by the browser, see :func:`..books.manual.read_parts`
        :return: the decision, which records the same data as others
        """
        counterparts, booked = manual.book(line, parts)
        self.search([("statement_line_id", "=", line.id), ("state", "=", "proposed")]).unlink()
        decision = self.create(
            {
                "statement_line_id": line.id,
                "step": "manual",
                "counterparts": [self._stored(one) for one in counterparts],
            }
        )
        decision._note_booked(booked, user)
        return decision

    def _note_booked(self, booked, user):
        """
        :param booked: :class:`..books.apply.Booked`
        :param user: who has booked it; None for automatic bookings
        """
        self.write(
            {
                "state": "booked",
                "is_automatic": not user,
                "booked_items": {str(line): items for line, items in booked.items.items()},
                "released": booked.released,
                "sets_partner": booked.sets_partner,
                "booked_by_id": user and user.id,
                "booked_at": fields.Datetime.now(),
            }
        )
        # Why both: the other side of a transfer is booked with it.
        others = [line for line in booked.items if line != self.statement_line_id.id]
        self.search([("statement_line_id", "in", others), ("state", "=", "proposed")]).unlink()
        if user:
            self._renew_siblings()

    def _renew_siblings(self):
        """Search again for lines whose proposals name documents that were settled or reopened by these decisions, so
        that no proposal names a paid document. The results are only proposed, because the claims of other lines are not
        considered."""
        siblings = self._siblings()
        outdated = siblings.filtered(
            lambda proposal: proposal.statement_line_id.is_reconciled or proposal.statement_line_id.state != "posted"
        )
        for journal, proposals in (siblings - outdated).grouped("journal_id").items():
            journal._renew_proposals(proposals.statement_line_id)
        outdated.unlink()

    def _siblings(self):
        """:return: proposals for other lines that name the same documents, or these lines as the other side of a
        transfer"""
        named = {(one["kind"], str(one["key"])) for decision in self for one in decision.counterparts or []}
        named = {both for both in named if both[0] in (ITEM, PAYMENT, RETURN)}
        named |= {(OWN_TRANSFER, line) for decision in self for line in decision.booked_items or {}}
        if not named:
            return self.browse()
        self.flush_model(["state", "counterparts", "statement_line_id"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT decision.id FROM account_reconcile_decision decision
                 WHERE decision.state = 'proposed' AND NOT decision.statement_line_id = ANY(%s)
                       AND EXISTS (
                           SELECT FROM jsonb_array_elements(decision.counterparts) one
                            WHERE (one->>'kind', one->>'key') IN %s
                       )
              ORDER BY decision.id
                """,
                self.statement_line_id.ids,
                tuple(named),
            )
        )
        return self.browse(proposal for (proposal,) in rows)

    @api.model
    def _named_beside(self, lines):
        """:return: set of (kind, key) of the documents that are proposed for other lines"""
        self.flush_model(["state", "counterparts", "statement_line_id", "company_id"])
        return set(
            self.env.execute_query(
                SQL(
                    """
                    SELECT DISTINCT one->>'kind', (one->>'key')::integer
                      FROM account_reconcile_decision decision, jsonb_array_elements(decision.counterparts) one
                     WHERE decision.state = 'proposed' AND decision.company_id = ANY(%s)
                           AND NOT decision.statement_line_id = ANY(%s) AND one->>'kind' IN %s
                    """,
                    lines.company_id.ids,
                    lines.ids,
                    (ITEM, PAYMENT, RETURN),
                )
            )
        )

    def _undo(self, user):
        """Undo; the caller has checked access rights."""
        self._check_not_returned()
        for line_id, items in self.booked_items.items():
            line = self.statement_line_id.browse(int(line_id))
            apply.undo(line, items, self.counterparts, self.released, self.sets_partner)
        self.write({"state": "undone", "undone_by_id": user.id, "undone_at": fields.Datetime.now()})

    def _check_not_returned(self):
        """:raise UserError: if the payment was returned, and the return is booked against it"""
        items = [item for made in self.booked_items.values() for item in made]
        self.flush_model(["state", "counterparts"])
        returned = self.env.execute_query(
            SQL(
                """
                SELECT decision.id
                  FROM account_reconcile_decision decision, jsonb_array_elements(decision.counterparts) one
                 WHERE decision.state = 'booked' AND decision.released IS NOT NULL
                       AND one->>'kind' = %s AND (one->>'key')::integer = ANY(%s)
                 LIMIT 1
                """,
                RETURN,
                items,
            )
        )
        if returned:
            line = self.browse(returned[0][0]).statement_line_id
            raise UserError(
                self.env._(
                    "This payment was returned by “%s”. Undo the booking of the return first.",
                    line.payment_ref or line.display_name,
                )
            )

    def _propose_again(self):
        """Propose a decision again after it was undone, unless it was a manual booking."""
        if self.step != "manual":
            self.create(
                {name: self[name] for name in ("step", "reasons", "counterparts", "rest")}
                | {"statement_line_id": self.statement_line_id.id}
            )


def _lines_of(decision):
    """:return: ids of the lines that a :class:`~..matching.facts.Decision` is about: of a transfer, both"""
    return {decision.line, *(one.key for one in decision.counterparts if one.kind == OWN_TRANSFER)}
