"""What must hold in a :class:`~.world.World`: each transaction once, the rest beside the books, balances right."""

from collections import Counter, defaultdict
from itertools import permutations

LINE, ABSENT, BEFORE_START, LOCKED, DELETED, PARKED = "line", "absent", "before_start", "locked", "deleted", "parked"

UNREADABLE_MARKS = {"unreadable once", "unreadable for good"}


class Checks:
    # -------------------------------------------------------------------------
    # WHAT MUST HOLD
    # -------------------------------------------------------------------------

    def check_doubles(self):
        """No payment is twice in a journal, at no time."""
        for account, journal in self.journals.items():
            self.env.flush_all()
            self.cr.execute(
                "SELECT transaction_details->>'payment' FROM account_bank_statement_line"
                # Why not the identifier: a line that has lost it is a line still.
                " WHERE journal_id = %s AND transaction_details ? 'payment'"
                # Why not the marked ones: a person is asked about them.
                " AND NOT COALESCE(online_possible_duplicate, FALSE)",
                [journal.id],
            )
            kin = {payment.number: payment.kin for payment in account.payments}
            there = Counter(kin[int(number)] for (number,) in self.cr.fetchall())
            for one, count in (there - Counter(kin.values())).items():
                raise AssertionError(f"{account.kind}: {count} lines too many for payment {one}")

    def check(self, links):
        for link in links:
            last = link.run_ids.sorted(lambda run: (run.started_at, run.id))[-1:]
            assert last.state == "done", f"{last.state}: {last.error_message}"
        for account in self.accounts:
            if self._record(account).account_online_link_id in links:
                self._check_account(account)
        self.check_doubles()

    def _check_account(self, account):
        became = self._what_became(account)
        by_kin = defaultdict(list)
        for payment in account.payments:
            by_kin[payment.kin].append(payment)
        for kin in by_kin.values():
            found = became[kin[0].kin]
            # What was unreadable once may stand there still; what was read later counts.
            while PARKED in found and len(found) > len(kin):
                found.remove(PARKED)
            assert len(found) <= len(kin), f"{account.kind}: {kin} became {found}"
            found = found + [ABSENT] * (len(kin) - len(found))
            allowed = [self._allowed(account, payment) for payment in kin]
            assert any(
                all(one in may for one, may in zip(order, allowed, strict=True)) for order in permutations(found)
            ), f"{account.kind}: {kin} became {found}, allowed is {allowed}"
        self._check_contents(account, by_kin)
        self._check_worked_with(account)
        self._check_pending(account)
        self._check_statements(account)

    def _what_became(self, account):
        """:return: dict from kin to a list of :data:`LINE` and reasons, lines last"""
        became = defaultdict(list)
        kin = {payment.number: payment.kin for payment in account.payments}
        for one in self.kept(account).filtered(lambda one: one.state != "pending"):
            if isinstance(one.transaction_details, dict):
                became[kin[one.transaction_details["payment"]]].append(one.reason_code)
        for line in self.lines(account):
            payment = self._payment_of(line)
            # Why not those: a payment that moved to another day may or may not be the same, so it is marked.
            if payment and not ("shifted" in payment.marks and line.online_possible_duplicate):
                became[payment.kin].append(LINE)
        return became

    def _allowed(self, account, payment):
        """What may have become of a payment after an undisturbed run."""
        marks = payment.marks
        is_booked = payment.state == "booked"
        is_perhaps_held = is_booked and self._is_perhaps_held(payment)
        is_held = is_booked and payment.day > self.day_at_the_bank and not is_perhaps_held
        if payment.state in ("pending", "forgotten") or is_held:
            return {ABSENT}
        if payment.state == "withdrawn":
            is_held = marks & {"silent", "was locked", "reconciled"}
            return {ABSENT, LINE, LOCKED, BEFORE_START, DELETED, PARKED} if is_held else {ABSENT, DELETED}
        if "deleted" in marks:
            return {DELETED}
        if payment.state == "vanished":
            if "restored" in marks or "was line" in marks:
                return {LINE}
            return {LINE, ABSENT, BEFORE_START, LOCKED, PARKED}
        if "restored" in marks:
            return {LINE}
        start, requested, is_locked = (
            self.starts[account],
            self.oldest_requested[account],
            payment.day <= self._lock_date(),
        )
        is_plain = not marks & {"unclear", "was moved", "typed once", "typed twice", *UNREADABLE_MARKS}
        is_requested = not requested or payment.day >= requested
        if is_plain and is_requested and start and payment.day < start and "in the first load" in marks:
            return {BEFORE_START}
        allowed = {LINE, ABSENT} if is_perhaps_held else {LINE}
        if is_locked and is_plain and is_requested and "was open" not in marks:
            allowed = {LOCKED}
        if not is_requested:
            allowed |= {ABSENT}
        if start and payment.day < start and "in a load" in marks:
            allowed |= {BEFORE_START}
        if is_locked:
            allowed |= {LOCKED}
        if "unreadable for good" in marks:
            allowed |= {PARKED}
        return allowed

    def _is_perhaps_held(self, payment):
        """On its day a transaction is pending if it was seen before; and what is a line stays one, if its day moves."""
        # A shift of all dates may also show it before its day.
        was_ahead = payment.marks & {"ahead", "shifted"}
        on_its_day = self.today <= payment.day <= self.day_at_the_bank and was_ahead
        return bool(on_its_day or (payment.day > self.today and "shifted" in payment.marks))

    @staticmethod
    def check_foreseen(foreseen, decided):
        """*Find Missing Transactions* decides what the run decides that follows."""
        # Why not all: after a renewal the bank knows an account by an id that the run learns first.
        for account_id in foreseen.keys() & decided.keys():
            assert foreseen[account_id] == decided[account_id], "Find Missing Transactions decides in another way"

    def _check_contents(self, account, by_kin):
        free = {"was locked", "reconciled", "unreadable for good", "unclear", "typed once", "typed twice", "shifted"}
        lines = defaultdict(list)
        for line in self.lines(account):
            if payment := self._payment_of(line):
                lines[payment.kin].append(line)
        for kin, payments in by_kin.items():
            marks = set().union(*(payment.marks for payment in payments))
            if "typed once" in marks and len(lines[kin]) == 1:
                assert lines[kin][0].online_adopted, f"{account.kind}: {payments} was typed, and came once more"
            if "typed twice" in marks and lines[kin]:
                assert lines[kin][0].online_possible_duplicate, f"{account.kind}: nobody is asked about {payments}"
            if marks & free or any(payment.state != "booked" for payment in payments):
                continue
            told = {(payment.day, float(payment.amount), payment.text) for payment in payments}
            for line in lines[kin]:
                text = payments[0].text if "edited" in marks else line.payment_ref
                found = (line.date, line.amount, text)
                assert found in told, f"{account.kind}: the bank says {told}, the line {found}"

    def _check_worked_with(self, account):
        """What a person has done with a line stays with that payment, whatever the bank does to ids."""
        for line in self.lines(account):
            before, after = self.worked_with.get(line.id), self._payment_of(line)
            if before and "unclear" not in before.marks:
                assert after.kin == before.kin, f"{account.kind}: the line of {before} is now that of {after}"

    def _check_pending(self, account):
        shown = Counter(self.kept(account).filtered(lambda one: one.state == "pending").mapped("amount"))
        booked = account.shown("booked")
        perhaps = [payment for payment in booked if self._is_perhaps_held(payment)]
        held = [payment for payment in booked if payment.day > self.day_at_the_bank and payment not in perhaps]
        wanted = Counter(float(payment.amount) for payment in (*account.shown("pending"), *held))
        may_be = Counter(float(payment.amount) for payment in perhaps)
        assert wanted <= shown <= wanted + may_be, f"{account.kind}: pending is {wanted}, shown is {shown}"
        assert self._record(account).pending_count == shown.total()

    def _check_statements(self, account):
        currency = self.company.currency_id
        statements = self.statements(account)
        loose = self.lines(account).filtered(lambda line: not line.statement_id)
        brought = loose.filtered("transaction_details")
        is_loose = account in self.disarranged or self.journals[account].bank_statement_creation_groupby == "none"
        assert is_loose or not brought, f"{account.kind}: {brought.mapped('payment_ref')} is in no statement"
        for statement in statements:
            total = statement.balance_start + sum(statement.line_ids.mapped("amount"))
            assert not currency.compare_amounts(statement.balance_end_real, total), f"{statement.name} does not add up"
            is_unknown = any(statements.mapped("online_start_unknown"))
            assert statement.is_complete != is_unknown, f"{statement.name}: complete is {statement.is_complete}"
            days = statement.line_ids.mapped("date")
            assert statement.online_period_start <= min(days) <= max(days) <= statement.online_period_end, days
            assert statement.is_valid or loose or account in self.unsettled, (
                f"{statement.name} does not start where the one before ended"
            )
            waits = self.kept(account).filtered(lambda one: one.state == "parked" and not one.online_transaction_digest)
            assert waits or not is_unknown, f"{account.kind}: everything can be read, but the beginning is unknown"
        if statements and self._is_balanced(account):
            running = self.lines(account)[-1].running_balance
            difference = currency.compare_amounts(running, float(account.balance))
            assert not difference, f"{account.kind}: the bank has {account.balance}, the journal {running}"

    def _is_balanced(self, account):
        """Whether nothing has kept the opening balance from being the bank's."""
        marks = set().union(*(payment.marks for payment in account.payments))
        return (
            account not in self.unbalanced | self.disarranged
            and not self.starts[account]
            and "in a load" in marks
            and not marks & {"unreadable for good", "was locked"}
        )

    # -------------------------------------------------------------------------
    # CONTENTS OF THE DATABASE
    # -------------------------------------------------------------------------

    def lines(self, account):
        return self.env["account.bank.statement.line"].search(
            [("journal_id", "=", self.journals[account].id)], order="internal_index"
        )

    def _record(self, account):
        return self.journals[account].account_online_account_id

    def statements(self, account):
        return self.env["account.bank.statement"].search(
            [("journal_id", "=", self.journals[account].id)], order="first_line_index"
        )

    def kept(self, account):
        return self.env["account.online.transaction"].search(
            [("account_online_account_id", "=", self._record(account).id)], order="id"
        )

    def _one_of(self, record, is_it):
        """The payment that a line or a kept transaction is; among equal ones the first that has the right marks."""
        payments = [payment for account in self.accounts for payment in account.payments]
        found = next(one for one in payments if one.number == record.transaction_details["payment"])
        return next((one for one in payments if one.kin == found.kin and is_it(one.marks)), found)

    def _payment_of(self, line):
        """The payment that a line of a bank is, or None for a typed one."""
        number = (line.transaction_details or {}).get("payment")
        payments = (payment for account in self.accounts for payment in account.payments if payment.number == number)
        return next(payments, None)
