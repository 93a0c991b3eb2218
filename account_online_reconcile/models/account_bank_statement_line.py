from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.sql import escape_psql

from ..books import screen

#: Lines that one call books; the browser continues with the next ones, shows the progress, and can stop.
MOST_AT_ONCE = 100


class AccountBankStatementLine(models.Model):
    _inherit = "account.bank.statement.line"

    reconcile_state = fields.Selection(
        selection=[
            ("proposed", "Proposed"),
            ("nothing", "No Proposal"),
            ("to_review", "To Review"),
            ("booked", "Reconciled"),
        ],
        string="Reconciliation",
        compute="_compute_reconcile_state",
        search="_search_reconcile_state",
    )

    # -------------------------------------------------------------------------
    # COMPUTE METHODS
    # -------------------------------------------------------------------------

    @api.depends("checked", "is_reconciled")
    def _compute_reconcile_state(self):
        proposed = self._get_reconcile_decisions(["proposed"]).statement_line_id
        for line in self:
            if line.is_reconciled:
                line.reconcile_state = "booked"
            elif not line.checked:
                line.reconcile_state = "to_review"
            else:
                line.reconcile_state = "proposed" if line in proposed else "nothing"

    def _search_reconcile_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        # sudo: only reads which lines have a proposal; the lines are searched with the user's rights
        decisions = self.env["account.reconcile.decision"].sudo()._search([("state", "=", "proposed")])
        has_proposal = Domain("id", "in", decisions.subselect("statement_line_id"))
        is_open = Domain([("is_reconciled", "=", False), ("checked", "=", True)])
        domains = {
            "proposed": is_open & has_proposal,
            "nothing": is_open & ~has_proposal,
            "to_review": Domain([("is_reconciled", "=", False), ("checked", "=", False)]),
            "booked": Domain("is_reconciled", "=", True),
        }
        return Domain.OR(domains[state] for state in value if state in domains)

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        """Lines with a proposal come first, because one key accepts them."""
        if field_name != "reconcile_state":
            return super()._order_field_to_sql(alias, field_name, direction, nulls, query)
        has_proposal = SQL(
            "EXISTS (SELECT FROM account_reconcile_decision decision"
            " WHERE decision.statement_line_id = %s AND decision.state = 'proposed')",
            SQL.identifier(alias, "id"),
            to_flush=self.env["account.reconcile.decision"]._fields["state"],
        )
        return SQL("%s %s", has_proposal, SQL("ASC") if direction.code == "DESC" else SQL("DESC"))

    # -------------------------------------------------------------------------
    # ACTIONS: what the reconciliation screen calls
    # -------------------------------------------------------------------------

    def reconcile_read(self):
        """:return: what the screen shows of this line and what was found for it, see :func:`..books.screen.describe`"""
        self._check_may_see_reconciliation()
        # Why without proposals: an outdated one exists until the next search for counterparts.
        states = ["booked"] if self.is_reconciled else ["proposed", "booked"]
        decision = self._get_reconcile_decisions(states)[:1] or self._get_transfer_decision()
        return screen.describe(self, decision, self._may_reconcile())

    def reconcile_find(self, text="", offset=0):
        """Search the open documents.

        :return: see :func:`..books.screen.find`
        """
        self._check_may_see_reconciliation()
        return screen.find(self, str(text or "")[:200], max(int(offset), 0))

    def reconcile_describe_account(self, account_id):
        """:return: the counterpart that books on an account, with the account's default taxes"""
        self._check_may_see_reconciliation()
        account = self.env["account.account"].browse(int(account_id)).exists()
        account.check_access("read")
        # sudo: only checks whether the account belongs to this company or its parents
        if not account or not account.sudo().company_ids & self.company_id.parent_ids:
            raise UserError(self.env._("This account belongs to another company. Choose another one."))
        return screen.describe_account(self, account)

    def reconcile_compute_taxes(self, part):
        """:return: the taxes of a counterpart on an account, list of ``{name, amount}``"""
        self._check_may_see_reconciliation()
        return screen.taxes_of(self, part)

    def reconcile_accept(self, decision_id):
        """Book the proposal that the user has seen.

        :param decision_id: refused if it was replaced by another proposal in the meantime
        :return: id of the decision, by which it can be undone
        """
        self._check_may_reconcile_one()
        decision = self._get_reconcile_decisions(["proposed"])
        if not decision or decision.id != decision_id:
            raise UserError(self.env._("There is a newer proposal for this line. Check it, then accept again."))
        decision._book(self.env.user)
        return decision.id

    def reconcile_book(self, parts):
        """Book what the user has chosen.

        :param parts: see :func:`..books.manual.read_parts`
        :return: id of the decision, by which it can be undone
        """
        self._check_may_reconcile_one()
        # sudo: the group, and write access to the line, were checked above; manual checks all parts
        line = as_server(self)
        return line.env["account.reconcile.decision"]._book_by_hand(line, parts, self.env.user).id

    def reconcile_accept_all(self):
        """Book the proposals of these lines, each independently.

        :return: dict with ``booked``, the number, and ``left``, a list of ``{id, name, why}``
        """
        self._check_may_reconcile()
        if len(self) > MOST_AT_ONCE:
            raise UserError(self.env._("Book at most %s lines at once.", MOST_AT_ONCE))
        decisions = {decision.statement_line_id: decision for decision in self._get_reconcile_decisions(["proposed"])}
        booked, left = 0, []
        for line in self:
            why = line._accept_if_possible(decisions.get(line))
            if why:
                left.append({"id": line.id, "name": line.payment_ref or line.display_name, "why": why})
            else:
                booked += 1
        return {"booked": booked, "left": left}

    def reconcile_undo(self, decision_id):
        """Undo a booking completely."""
        self._check_may_reconcile_one()
        decision = self._get_reconcile_decisions(["booked"]) or self._get_transfer_decision()
        if not decision or decision.id != decision_id:
            raise UserError(
                self.env._("This booking was changed or undone since. Reload the page to see what was done.")
            )
        # Why: undoing a transfer affects both lines.
        (decision.statement_line_id - self).with_env(self.env)._check_may_reconcile()
        decision._undo(self.env.user)
        decision._propose_again()
        decision._renew_siblings()

    def reconcile_set_partner(self, partner_id):
        """:param partner_id: of ``res.partner``, or False for none"""
        self._check_may_reconcile_one()
        partner = self.env["res.partner"].browse(int(partner_id or 0))
        partner.check_access("read")
        if partner.company_id - self.company_id.parent_ids:
            raise UserError(self.env._("This partner belongs to another company. Choose another one."))
        if self.is_reconciled:
            raise UserError(self.env._("This line is booked already. Reload the page to see how."))
        self.partner_id = partner

    def reconcile_create_partner(self):
        """Create a partner from the bank's counterparty, with its account number."""
        self._check_may_reconcile_one()
        name = (self.partner_name or "").strip()
        if self.is_reconciled or self.partner_id or not name:
            raise UserError(self.env._("This line can't get a new partner any more. Reload the page."))
        if self._is_counterparty_known():
            raise UserError(self.env._("There is a partner “%s” already. Choose it in the field “Partner”.", name))
        self.partner_id = self.env["res.partner"].create({"name": name})
        if self.account_number:
            self._find_or_create_bank_account()

    def reconcile_set_to_review(self, is_to_review):
        """Mark the line to be reviewed, or as reviewed."""
        self._check_may_reconcile_one()
        self.move_id.set_moves_checked(not is_to_review)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _may_reconcile(self):
        return self.env.user.has_group("account.group_account_basic")

    def _check_may_see_reconciliation(self):
        """:raise AccessError: for those who are neither accountants nor auditors"""
        self.ensure_one()
        if not self.env.user.has_groups("account.group_account_basic,account.group_account_readonly"):
            raise AccessError(self.env._("Only accountants see the reconciliation of bank lines."))
        self.check_access("read")

    def _check_may_reconcile(self):
        """:raise AccessError: where the user may not book these lines"""
        self.journal_id._check_may_reconcile()
        self.check_access("write")

    def _check_may_reconcile_one(self):
        self.ensure_one()
        self._check_may_reconcile()

    def _get_reconcile_decisions(self, states):
        """:return: decisions on these lines, with superuser rights, the newest first"""
        # sudo: only decisions on lines to which the caller has checked access
        decisions = as_server(self.env["account.reconcile.decision"])
        if not self.ids:
            return decisions
        found = decisions.search([("statement_line_id", "in", self.ids), ("state", "in", states)], order="id desc")
        return found - found._note_undone_elsewhere()

    def _is_counterparty_known(self):
        """Whether a partner has the counterparty's name, ignoring case."""
        name = escape_psql((self.partner_name or "").strip())
        return bool(self.env["res.partner"].search_count([("name", "=ilike", name)], limit=1))

    def _get_transfer_decision(self):
        """:return: the decision by which this line was booked as the other side of a transfer, with superuser rights"""
        self.ensure_one()
        # sudo: the caller has checked that the user may read this line, to which the decision belongs
        items = as_server(self).line_ids
        others = (items.matched_debit_ids.debit_move_id + items.matched_credit_ids.credit_move_id) - items
        decisions = others.statement_line_id._get_reconcile_decisions(["booked"])
        return decisions.filtered(lambda decision: str(self.id) in (decision.booked_items or {}))[:1]

    def _accept_if_possible(self, decision):
        """:return: a sentence with the reason why the proposal could not be booked, or an empty text"""
        is_replaced = bool(decision) and not decision.exists()
        if is_replaced and self._get_reconcile_decisions(["proposed"]):
            # Why not booked: the previous booking has replaced the proposal that the user has seen.
            return self.env._("There is a newer proposal for this line. Check it, then accept again.")
        if is_replaced or not decision:
            return self.env._("There is no proposal for this line.")
        try:
            with self.env.cr.savepoint():
                decision._book(self.env.user)
        except UserError as error:
            return str(error)
        return ""
