"""Statement files in a real browser: dropped on the card, seen before they are imported, never twice, and taken back.

The files are of the Demo Bank's own account, so that connecting it afterwards must bring nothing that is there.
"""

import base64
from datetime import date, timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import TimeoutError as NotYet
from playwright.sync_api import expect

from .conftest import a_company_with_books
from .settled import expect_to_fit
from .test_accessibility import Inspector
from .test_browser import DESKTOP, PATIENCE, PHONE, a_tour_of
from .test_provider_browser import WIDER_THAN_THE_SCREEN, look

#: The account that the Demo Bank is going to show: its number, what was booked, and the balance before the first day.
HISTORY = """
from datetime import datetime, timedelta
from odoo.addons.bank_sync_proxy.providers import sandbox_bank, sandbox_institutions, sandbox_texts
bank = next(key for key, one in sandbox_institutions.BANKS.items() if one.name == "Demo Bank")
account = next(one.key for one in sandbox_institutions.BANKS[bank].accounts if one.name == "Business account")
ledger = sandbox_bank.Ledger(bank, account, "demo")
now = datetime.utcnow()
hour = int((now - datetime(2024, 1, 1)).total_seconds() // 3600)
first = now.date() - timedelta(days=28)
booked = [one for one in ledger.movements(sandbox_bank.EPOCH, now.date()) if one.visible <= hour]
rows = sorted((one for one in booked if one.booking_date >= first), key=lambda one: one.booking_date)
result = {
    "number": sandbox_texts.account_number(ledger),
    "rows": [[one.booking_date.isoformat(), one.cents] for one in rows],
    "before": ledger.bank_account.opening + sum(one.cents for one in booked if one.booking_date < first),
    "today": now.date().isoformat(),
}
"""

DROP = """
([article, name, content]) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], name));
    window.droppedFiles = data;
    article.dispatchEvent(new DragEvent("dragenter", { dataTransfer: data, bubbles: true }));
}
"""

RELEASE = """
(area) => area.dispatchEvent(new DragEvent("drop", { dataTransfer: window.droppedFiles, bubbles: true }))
"""


#: No day is after the 12th, so days and months can't be distinguished.
TABLE = "Date,Description,Amount\n03/04/2026,Coffee,-2.50\n05/04/2026,Tea,-3.00\n"


def money(cents):
    return f"{Decimal(cents) / 100:.2f}"


class Period:
    """Whole days of the account, as files of each format say them."""

    def __init__(self, history, first, last):
        self.number, self.first, self.last = history["number"], first, last
        self.rows = [(date.fromisoformat(day), cents) for day, cents in history["rows"]]
        self.before = history["before"] + sum(cents for day, cents in self.rows if day < first)
        self.rows = [(day, cents) for day, cents in self.rows if first <= day <= last]
        self.after = self.before + sum(cents for _day, cents in self.rows)

    def camt(self):
        def balance(code, cents, day):
            return (
                f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>{money(abs(cents))}</Amt>"
                f"<CdtDbtInd>{'CRDT' if cents >= 0 else 'DBIT'}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
            )

        entries = "".join(
            f"<Ntry><Amt Ccy='EUR'>{money(abs(cents))}</Amt><CdtDbtInd>{'CRDT' if cents >= 0 else 'DBIT'}</CdtDbtInd>"
            f"<Sts>BOOK</Sts><BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>"
            f"<AcctSvcrRef>CAMT{number}</AcctSvcrRef><BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd>"
            f"<AddtlNtryInf>Entry {number}</AddtlNtryInf></Ntry>"
            for number, (day, cents) in enumerate(self.rows)
        )
        before = self.first - timedelta(days=1)
        return (
            "<?xml version='1.0' encoding='UTF-8'?><Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.02'>"
            f"<BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId><CreDtTm>{self.last}T23:00:00</CreDtTm></GrpHdr><Stmt><Id>S1</Id>"
            f"<CreDtTm>{self.last}T23:00:00</CreDtTm><FrToDt><FrDtTm>{self.first}T00:00:00</FrDtTm>"
            f"<ToDtTm>{self.last}T23:59:59</ToDtTm></FrToDt><Acct><Id><IBAN>{self.number}</IBAN></Id><Ccy>EUR</Ccy></Acct>"
            f"{balance('OPBD', self.before, before)}{balance('CLBD', self.after, self.last)}{entries}"
            "</Stmt></BkToCstmrStmt></Document>"
        )

    def mt940(self):
        def balance(tag, cents, day):
            amount = money(abs(cents)).replace(".", ",")
            return f":{tag}:{'C' if cents >= 0 else 'D'}{day:%y%m%d}EUR{amount}"

        lines = [":20:STATEMENT", f":25:{self.number}", ":28C:1/1"]
        lines.append(balance("60F", self.before, self.first - timedelta(days=1)))
        for number, (day, cents) in enumerate(self.rows):
            amount = money(abs(cents)).replace(".", ",")
            lines.append(f":61:{day:%y%m%d}{day:%m%d}{'C' if cents >= 0 else 'D'}{amount}NTRFNONREF//MT{number}")
            lines.append(f":86:Movement {number}")
        lines.append(balance("62F", self.after, self.last))
        return "\r\n".join([*lines, "-", ""])

    def ofx(self):
        entries = "".join(
            f"<STMTTRN><TRNTYPE>{'CREDIT' if cents >= 0 else 'DEBIT'}<DTPOSTED>{day:%Y%m%d}<TRNAMT>{money(cents)}"
            f"<FITID>OFX{number}<NAME>Posted {number}</STMTTRN>"
            for number, (day, cents) in enumerate(self.rows)
        )
        return (
            "OFXHEADER:100\r\nDATA:OFXSGML\r\nVERSION:102\r\nSECURITY:NONE\r\nENCODING:USASCII\r\nCHARSET:1252\r\n"
            "COMPRESSION:NONE\r\nOLDFILEUID:NONE\r\nNEWFILEUID:NONE\r\n\r\n"
            f"<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS><DTSERVER>{self.last:%Y%m%d}"
            "<LANGUAGE>ENG</SONRS></SIGNONMSGSRSV1><BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO"
            f"</STATUS><STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>DEMO<ACCTID>{self.number}<ACCTTYPE>CHECKING"
            f"</BANKACCTFROM><BANKTRANLIST><DTSTART>{self.first:%Y%m%d}<DTEND>{self.last:%Y%m%d}{entries}</BANKTRANLIST>"
            f"<LEDGERBAL><BALAMT>{money(self.after)}<DTASOF>{self.last:%Y%m%d}</LEDGERBAL></STMTRS></STMTTRNRS>"
            "</BANKMSGSRSV1></OFX>"
        )

    def csv(self):
        rows = [f"{day};{day};Row {number};{money(cents)};EUR" for number, (day, cents) in enumerate(self.rows)]
        return "\n".join(["Booking date;Value date;Description;Amount;Currency", *rows, ""])


@pytest.fixture(scope="module")
def served():
    with a_company_with_books() as copy:
        copy.start()
        yield copy


@pytest.fixture(scope="module")
def history(served):
    return served.shell(HISTORY)


@pytest.fixture(scope="module")
def files(history):
    return four_files(history)


def four_files(history):
    """Files of five days each, one after the other; the last days are left to the connection."""
    first = date.fromisoformat(history["today"]) - timedelta(days=28)
    periods = [Period(history, first + timedelta(days=5 * n), first + timedelta(days=5 * n + 4)) for n in range(4)]
    return {
        "statement.xml": (periods[0].camt(), periods[0]),
        "statement.sta": (periods[1].mt940(), periods[1]),
        "statement.ofx": (periods[2].ofx(), periods[2]),
        "statement.csv": (periods[3].csv(), periods[3]),
    }


def drop_on_the_card(tour, name, content):
    tour.open("/odoo/accounting")
    article = tour.card("Bank").first
    article.wait_for()
    encoded = base64.b64encode(content.encode()).decode()
    area = article.locator(".o_drop_area")
    # Why again: a dashboard that was just opened renders its cards again, and a file dropped on an old one is lost.
    for _attempt in range(10):
        tour.page.evaluate(DROP, [article.element_handle(), name, encoded])
        try:
            area.wait_for(timeout=5000)
            area.evaluate(RELEASE)
            preview(tour).wait_for(timeout=20_000)
        except NotYet:
            continue
        return
    raise AssertionError(f"The preview of {name} has not come.")


def preview(tour):
    return tour.page.locator(".modal .o_online_transaction_choice")


def confirm_the_account(tour):
    """The file names no account, or the journal has none yet."""
    tour.page.locator(".modal .o_kanban_record").first.get_by_role("button", name="Yes, Import Here").click()


def rows_of_the_journal(served):
    return served.sql(
        "SELECT move.date, line.amount FROM account_bank_statement_line line JOIN account_move move "
        "ON move.id = line.move_id JOIN account_journal journal ON journal.id = line.journal_id "
        "WHERE journal.name->>'en_US' = 'Bank' ORDER BY 1, 2"
    )


def test_from_the_drop_on_the_card_to_the_undo_of_a_file(served, history, files):
    inspector = Inspector()
    with a_tour_of(served) as tour:
        for number, (name, (content, period)) in enumerate(files.items()):
            drop_on_the_card(tour, name, content)
            if number in (0,):
                tour.sees("Is it the same account?")
                look(tour, inspector, "files_question", ".modal .o_form_view")
                confirm_the_account(tour)
            expect(tour.page.locator(".modal")).to_contain_text(
                f"{len(period.rows)} new transactions can be imported.", timeout=PATIENCE
            )
            if name in ("statement.xml", "statement.csv"):
                look(tour, inspector, f"files_preview_{name.split('.')[1]}", ".modal .o_form_view")
            tour.click("Import", exact=True)
            expect(tour.page.locator(".o_data_row")).to_have_count(len(period.rows), timeout=PATIENCE)

        shown = [row for _content, period in files.values() for row in period.rows]
        assert len(rows_of_the_journal(served)) == len(shown)

        for name, (content, period) in files.items():
            drop_on_the_card(tour, name, content)
            tour.sees("Nothing new: all transactions are in the journal already.")
            expect(tour.page.locator(".modal")).to_contain_text(f"Known: {len(period.rows)}")
            expect(primary_button(tour)).to_have_text("Close")
            if name == "statement.xml":
                look(tour, inspector, "files_nothing_new", ".modal .o_form_view")
        tour.open("/odoo/accounting")
        tour.sees("Statement files up to")
        look(tour, inspector, "files_card", ".o_online_sync_status")

        connect_the_demo_bank(tour)
        served.fetch_planned()
        booked = sorted((day, Decimal(cents) / 100) for day, cents in history["rows"])
        there = [(day, Decimal(amount)) for day, amount in rows_of_the_journal(served)]
        last = max(period.last for _content, period in files.values()).isoformat()
        assert [row for row in there if row[0] <= last] == [row for row in booked if row[0] <= last]
        assert served.sql("SELECT count(*) FROM account_bank_statement_line WHERE online_possible_duplicate") == [["0"]]

        tour.open("/odoo/statement-files")
        tour.page.locator(".o_data_row").filter(has_text="statement.xml").click()
        tour.sees("Undo Import")
        look(tour, inspector, "files_imported", ".o_form_sheet")
        tour.click("Undo Import")
        tour.page.locator(".modal").get_by_role("button", name="Undo Import").click()
        tour.sees("was undone")
        first = files["statement.xml"][1]
        left = rows_of_the_journal(served)
        assert not [day for day, _amount in left if day <= first.last.isoformat()]
        assert len(left) == len(there) - len(first.rows)
        assert tour.errors == []
    assert not inspector.found, "\n".join(inspector.found)


def primary_button(tour):
    return tour.page.locator(".modal footer .btn-primary:visible")


def drop_on_the_list(tour, name, content):
    zone = tour.page.locator(".o_list_view .o_drop_area")
    renderer = tour.page.locator(".o_list_view .o_list_renderer")
    renderer.wait_for()
    tour.page.evaluate(DROP, [renderer.element_handle(), name, base64.b64encode(content.encode()).decode()])
    zone.wait_for()
    tour.sees("Drop statement files from your bank here.")
    zone.evaluate(RELEASE)
    preview(tour).wait_for()


def test_a_table_whose_days_are_not_certain_is_dropped_on_the_list_and_asked_about(served):
    served.shell(
        "env['account.journal'].create({'name': 'Second bank', 'type': 'bank', 'code': 'SECB'})\nresult = True"
    )
    inspector = Inspector()
    with a_tour_of(served) as tour:
        tour.open("/odoo/accounting")
        tour.card("Second bank").get_by_role("button", name="Transactions").click()
        drop_on_the_list(tour, "april.csv", TABLE)
        answers = tour.page.locator(".modal input[type=radio]")
        expect(answers).to_have_count(2, timeout=PATIENCE)
        answers.first.check()
        answers.nth(1).check()
        expect(answers.first).not_to_be_checked()
        answers.first.check()
        look(tour, inspector, "files_columns", ".modal .o_form_view")
        expect(primary_button(tour)).to_have_text("Update Preview")
        tour.click("Update Preview")
        tour.sees("The file names no account. Are these transactions of Second bank?")
        confirm_the_account(tour)
        tour.sees("2 new transactions can be imported.")
        expect(primary_button(tour)).to_have_text("Import")
        tour.click("Import", exact=True)
        expect(tour.page.locator(".o_data_row")).to_have_count(2, timeout=PATIENCE)

        tour.open("/odoo/accounting")
        tour.card("Second bank").get_by_role("button", name="Transactions").click()
        with tour.page.expect_file_chooser() as chooser:
            tour.click("Import File", exact=True)
        chooser.value.set_files([{"name": "april.csv", "mimeType": "text/csv", "buffer": TABLE.encode()}])
        tour.sees("Nothing new: all transactions are in the journal already.")
        tour.sees("This file was already imported on")
        assert tour.errors == []
    assert not inspector.found, "\n".join(inspector.found)


FOLDERS = """
from odoo.addons.bank_sync_common.models.server_fields import as_server
sources = env["account.online.file.source"].create([
    {"name": "Statements of the bank", "host": "sftp.bank.example", "username": "acme", "new_password": "secret"},
    {"name": "Files of the cash register", "kind": "folder", "folder": "register"},
])
as_server(sources[0]).offered_host_key = "SHA256:" + "Ab3" * 14 + "x"
as_server(sources[1]).write({
    "checked_at": "2026-05-20 10:00:00",
    "error_message": "The folder does not exist. Links are not followed.",
})
server = as_server(env["account.online.file.taken"])
for name, state, note in (
    ("2026-05-01-statement.xml", "done", "2026-05-01-statement.xml was imported. New transactions: 12."),
    ("2026-05-02-statement.csv", "failed", "The file names no account. Are these transactions of Bank?"),
    ("2026-05-03-statement.xml", "waiting", False),
):
    server.create({"source_id": sources[1].id, "name": name, "state": state, "note": note, "seen_at": "2026-05-20"})
result = sources.ids
"""


def look_where_it_opens(tour, inspector, name, address, text, place):
    """As :func:`look`, but opened on each screen: on a phone lists are cards."""
    for size, suffix in ((PHONE, "_phone"), (DESKTOP, "")):
        tour.page.set_viewport_size(size)
        tour.open(address)
        tour.sees(text)
        tour.photograph(f"{name}{suffix}")
        expect_to_fit(tour.page, WIDER_THAN_THE_SCREEN, f"{name}{suffix}")
        inspector.inspect(tour.page, f"{name}{suffix}", [place])


def test_the_pages_of_folders_say_what_to_do(served):
    server, folder = served.shell(FOLDERS)
    inspector = Inspector()
    with a_tour_of(served) as tour:
        address = "/odoo/statement-folders"
        look_where_it_opens(tour, inspector, "files_folders", address, "Files of the cash register", ".o_content")
        text = "The folder does not exist. Links are not followed."
        look_where_it_opens(tour, inspector, "files_folder_error", f"{address}/{folder}", text, ".o_form_view")
        tour.sees("Try Again")
        text = "Compare it with the one that your bank has given you"
        look_where_it_opens(tour, inspector, "files_folder_fingerprint", f"{address}/{server}", text, ".o_form_view")
        tour.click("Confirm Fingerprint")
        expect(tour.page.get_by_role("button", name="Confirm Fingerprint")).to_have_count(0, timeout=PATIENCE)
        assert served.sql(f"SELECT host_key FROM account_online_file_source WHERE id = {server}")[0][0]
        assert tour.errors == []
    assert not inspector.found, "\n".join(inspector.found)


def connect_the_demo_bank(tour):
    tour.open("/odoo/accounting")
    tour.card("Bank").get_by_role("button", name="Connect bank").click()
    bank = tour.choose_bank("Demo Bank")
    tour.sign_in_at_the_demo_bank(bank.click)
    tour.sees("Choose the journal that each bank account fills")
    tour.photograph("files_connect")
    tour.click("Synchronize", exact=True)
    tour.sees("or leave this page")
