"""Connect the Demo Bank, synchronize, book what is certain, and show what the bank journal holds.

Executed by scripts/run inside `odoo shell`, which gives `env`. Everything goes the way a user's clicks go.
"""

import os
import time
from datetime import date, timedelta
from urllib.parse import urljoin

import lxml.html
import requests

LAST_LINES = 20
TIMEOUT = 300
ATTEMPTS = 5
#: Days. What is older was booked by hand, as a dry run compares with what a person has done.
BY_HAND = 60
#: The journal that is there for statement files, and the account of scripts/samples.
FILES_JOURNAL, FILES_ACCOUNT = "Bank (files)", "DE02500105170137075030"


def demonstrate(env):
    # Why here: it is beside this file, and who only wants the company has no need of it.
    import demo_books

    url = os.environ["BANK_SYNC_URL"]
    prepare_company(env)
    demo_books.prepare(env)
    if not env["account.online.link"].search_count([], limit=1):
        connect_demo_bank(url)
    else:
        synchronize(url)
    fetch_planned(env)
    reread(env)
    reconcile(env, url, demo_books.prepare_journal)
    prepare_files(env)
    print_table(env)
    print_reconciliation(env)
    print_files(env)


def reread(env):
    """The server has written in the meantime, in its own transactions."""
    env.cr.rollback()
    env.invalidate_all()


class Visitor:
    """A user at the keyboard, without a browser: signs in, presses buttons, fills in forms, follows redirects."""

    def __init__(self, url, login="admin", password="admin"):
        self.url = url
        self.password = password
        self.session = requests.Session()
        self.open("/web/login")
        self.submit("password", login=login, password=password)

    def call(self, model, method, *arguments, **context):
        """Press a button of the web client: the same request, the same rights."""
        parameters = {
            "model": model,
            "method": method,
            "args": arguments,
            "kwargs": {"context": context} if context else {},
        }
        answer = self.session.post(
            f"{self.url}/web/dataset/call_kw/{model}/{method}",
            json={"jsonrpc": "2.0", "params": parameters},
            timeout=TIMEOUT,
        ).json()
        if "error" in answer:
            raise RuntimeError(answer["error"]["data"]["message"])
        # Why not every answer has one: what returns nothing is answered without.
        return answer.get("result")

    def insist(self, model, method, *arguments):
        """Press a button again after a conflict, for example with a scheduled action on the same records."""
        for _attempt in range(ATTEMPTS):
            try:
                return self.call(model, method, *arguments)
            except RuntimeError as error:
                print(f"Once more: {error}")
                time.sleep(1)
        return self.call(model, method, *arguments)

    def save_settings(self, **values):
        """Change something in the settings, save them, and confirm the password where Odoo asks for it."""
        settings = self.call("res.config.settings", "create", values)
        action = self.call("res.config.settings", "execute", [settings])
        if action.get("res_model") == "res.users.identitycheck":
            self.call("res.users.identitycheck", "run_check", [action["res_id"]], password=self.password)

    def open(self, path):
        self._arrive(self.session.get(urljoin(self.url, path), timeout=TIMEOUT))

    def submit(self, field, button=None, **values):
        """Fill in the form that has the field, and send it.

        :param button: value of the submit button, where the page has several
        """
        form = next(form for form in self.page.forms if form.xpath(f".//*[@name='{field}']"))
        for name, value in values.items():
            form.fields[name] = value
        data = form.form_values() + ([(field, button)] if button else [])
        target = urljoin(self.address, form.action or self.address)
        self._arrive(self.session.post(target, data=data, timeout=TIMEOUT))

    def _arrive(self, response):
        response.raise_for_status()
        self.address = response.url
        self.page = lxml.html.fromstring(response.content)


def prepare_company(env):
    """A company that can keep books, and an administrator who sees them."""
    company = env.ref("base.main_company")
    if not env["account.move"].search_count([("company_id", "=", company.id)], limit=1):
        euro = env.ref("base.EUR")
        euro.active = True
        company.write({"name": "Demo Company", "country_id": env.ref("base.be").id, "currency_id": euro.id})
    if not company.chart_template:
        env["account.chart.template"].try_loading("generic_coa", company)
    # Why: Community hides the accounting dashboard's menu from users without them.
    accountant = env.ref("account.group_account_user") + env.ref("account.group_account_manager")
    env.ref("base.user_admin").write({"group_ids": [(4, group.id) for group in accountant]})
    env.cr.commit()  # the server that the next step talks to is another process


def prepare_files(env):
    """A journal of the account that the sample files are of."""
    if not files_journal(env):
        journal = env["account.journal"].create({"name": FILES_JOURNAL, "type": "bank", "code": "FILE"})
        journal.set_bank_account(FILES_ACCOUNT)
    env.cr.commit()  # the server that the newcomer talks to is another process


def files_journal(env):
    return env["account.journal"].search([("type", "=", "bank"), ("name", "=", FILES_JOURNAL)], limit=1)


def print_files(env):
    print(f"\nStatement files: drop those of {os.environ['BANK_SYNC_SAMPLES']} on the card {FILES_JOURNAL}.")


def address_of_bank(action):
    """:return: address of the page to which a visit of the bank leads"""
    return action["params"]["url"]


def connect_demo_bank(url):
    """Click *Connect bank*, walk through the Demo Bank's pages, and let its accounts fill journals."""
    visitor = Visitor(url)
    journal = visitor.call("account.journal", "search", [("type", "=", "bank")])[0]
    visitor.open(address_of_bank(visitor.call("account.online.directory", "action_open_bank", False, journal)))
    bank = visitor.page.xpath("//button[@name='institution'][.//strong[text()='Demo Bank']]/@value")[0]
    visitor.submit("institution", bank)
    # Why this user: whose customers and suppliers pay the documents of demo_books.py.
    visitor.submit("user", user="books", password="demo")
    visitor.submit("accounts")
    # Back in Odoo, at the choice of journals; its address ends in the record's id.
    selection = int(visitor.address.rstrip("/").rsplit("/", 1)[1])
    visitor.call("account.online.account.selection", "action_confirm", [selection])
    print("The accounts are chosen; their transactions are being fetched.")


def synchronize(url):
    """Press *Fetch Transactions* on each connection."""
    visitor = Visitor(url)
    for link in visitor.call("account.online.link", "search", [("state", "!=", "disconnected")]):
        answer = visitor.call("account.online.link", "action_fetch_transactions", [link])
        print(answer.get("params", {}).get("message", "The bank asks for a code: use Synchronize Now in the browser."))


def fetch_planned(env):
    """A first load is left to the scheduled action. Where the server runs none it is done here, else waited for."""
    end = time.monotonic() + TIMEOUT
    planned = [("is_deferred", "=", True), ("state", "in", ("planned", "running"))]
    env.cr.rollback()
    while env["account.online.run"].search_count(planned, limit=1) and time.monotonic() < end:
        env["account.online.link"]._cron_fetch_planned()
        time.sleep(1)
        env.cr.rollback()
        env.invalidate_all()


# -------------------------------------------------------------------------
# RECONCILIATION
# -------------------------------------------------------------------------


def reconcile(env, url, prepare_journal):
    """Find counterparts. The first time: book some weeks by hand, do the dry run, switch automatic booking on."""
    visitor = Visitor(url)
    journals = journals_of_bank(env)
    main = journals[:1]
    is_first_time = main and not main.reconcile_automatically
    if is_first_time:
        prepare_journal(main)
        env.cr.commit()  # the server is another process
        visitor.insist("account.journal", "action_find_counterparts", main.ids)
        reread(env)
        book_by_hand(env, visitor, main)
        visitor.insist("account.journal", "action_reconcile_dry_run", main.ids)
        visitor.insist("account.journal", "write", main.ids, {"reconcile_automatically": True})
    visitor.insist("account.journal", "action_find_counterparts", journals.ids)
    reread(env)


def journals_of_bank(env):
    """:return: the journals that the bank fills, the current account's first"""
    accounts = env["account.online.account"].search([])
    return accounts.filtered(lambda account: account.account_type == "current").journal_ids | accounts.journal_ids


def book_by_hand(env, visitor, journal):
    """Accept the proposals of the first weeks that leave no question."""
    until = date.today() - timedelta(days=BY_HAND)
    proposals = env["account.reconcile.decision"].search(
        [("journal_id", "=", journal.id), ("state", "=", "proposed"), ("date", "<", until)]
    )
    certain = proposals.filtered(lambda proposal: "not_switched_on" in [code for code, _values in proposal.reasons])
    for proposal in certain.ids:
        try:
            visitor.call("account.reconcile.decision", "action_accept", [proposal])
        except RuntimeError as error:
            # Why not again: the scheduled action is working with it, and it stays a proposal.
            print(f"Not booked by hand: {error}")


def print_reconciliation(env):
    print("\nBooked, proposed and open bank lines")
    rows = []
    for journal in journals_of_bank(env):
        lines = env["account.bank.statement.line"].search([("journal_id", "=", journal.id)])
        states = env["account.reconcile.decision"].search([("journal_id", "=", journal.id)]).mapped("state")
        still_open = len(lines.filtered(lambda line: not line.is_reconciled))
        numbers = (len(lines), states.count("booked"), states.count("proposed"), still_open)
        rows.append((journal.name, *map(str, numbers)))
    print_rows(("journal", "lines", "booked", "proposed", "open"), rows, right={1, 2, 3, 4})
    documents = env["account.move"].search(
        [("move_type", "in", ("out_invoice", "in_invoice")), ("state", "=", "posted")]
    )
    paid = documents.filtered(lambda move: move.payment_state == "paid")
    print(f"\n{len(paid)} of {len(documents)} invoices and bills are paid.")


def print_table(env):
    for journal in env["account.journal"].search([("type", "in", ("bank", "credit"))]):
        lines = env["account.bank.statement.line"].search([("journal_id", "=", journal.id)], order="internal_index")
        if lines:
            print_lines(journal, lines)
            print_statements(journal, lines.statement_id)


def print_lines(journal, lines):
    currency = journal.currency_id or journal.company_id.currency_id
    print(f"\n{journal.name}: {len(lines)} transactions, the last {min(LAST_LINES, len(lines))} of them")
    rows = [
        (
            str(line.date),
            line.payment_ref or "",
            line.partner_id.name or line.partner_name or "",
            amount(line.amount, currency),
            amount(line.running_balance, currency),
            line.statement_id.name or "",
        )
        for line in lines[-LAST_LINES:]
    ]
    total = ("", "total of all", "", amount(sum(lines.mapped("amount")), currency), "", "")
    print_rows(("date", "label", "partner", "amount", "balance", "statement"), rows, total, right={3, 4})


def print_statements(journal, statements):
    currency = journal.currency_id or journal.company_id.currency_id
    if not statements:
        print("\nNo statements.")
        return
    print(f"\n{journal.name}: {len(statements)} statements")
    rows = []
    for statement in statements.sorted("first_line_index"):
        dates = statement.line_ids.mapped("date")
        rows.append(
            (
                statement.name or "",
                str(min(dates)),
                str(max(dates)),
                str(len(dates)),
                amount(statement.balance_start, currency),
                amount(statement.balance_end, currency),
            )
        )
    print_rows(("statement", "from", "to", "lines", "start", "end"), rows, right={3, 4, 5})


def amount(value, currency):
    return f"{value:,.{currency.decimal_places}f} {currency.name}"


def print_rows(heads, rows, total=None, right=()):
    """A table of plain text; long texts are cut so that it fits a wide terminal."""
    rows = [[text if len(text) <= 36 else text[:35] + "…" for text in row] for row in rows]
    widths = [max(len(row[column]) for row in [heads, *rows, total or heads]) for column in range(len(heads))]

    def show(row):
        cells = (
            text.rjust(width) if column in right else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  " + "  ".join(cells).rstrip())

    show(heads)
    show(["─" * width for width in widths])
    for row in rows:
        show(row)
    if total:
        show(["─" * width for width in widths])
        show(total)


if "env" in globals():  # the shell's variable
    demonstrate(env)  # noqa: F821
