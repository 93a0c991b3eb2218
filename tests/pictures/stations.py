"""What is photographed: functions of one part each, in the order in which a user meets them.

A part takes a :class:`~.camera.Camera` and leaves the company as the next one finds it. States that a bank would have
to bring about are written on the records, with sentences like those of the engine.
"""

import re
from datetime import date, timedelta

from playwright.sync_api import expect

from ..conftest import let_codes_grow_old
from ..test_browser import PATIENCE, SET_STATE, Tour
from ..test_files_browser import HISTORY as DEMO_HISTORY
from ..test_files_browser import drop_on_the_card, four_files
from ..test_reconcile_browser import BOOKS
from .camera import DESKTOP, PHONE

#: By code: the suffix of the pictures.
LANGUAGES = {"zh_CN": "_zh", "ar_001": "_rtl"}

LINK, JOURNAL, PROVIDER = "account.online.link", "account.journal", "bank.sync.provider"
PROVIDERS = "/odoo/action-bank_sync_proxy.bank_sync_provider_action"
HISTORY = "/odoo/action-account_online_synchronization.account_online_run_action"
BLOCK_WINDOWS = "window.open = () => null"

#: A second way to one of the demo banks, as a provider with keys would list it.
SECOND_PROVIDER = """
provider = env.ref("bank_sync_proxy.bank_sync_provider_enable_banking")
provider.write({"keys_state": "work", "active": True})
bank = env["bank.sync.institution"].search([("name", "=", "Demo World Bank")], limit=1)
bank.copy({"provider_id": provider.id, "identifier": "second-way", "status": "stable", "search_group": False})
env["bank.sync.institution"]._update_directory()
"""

#: A month in which the bank was asked twice a day, as if the company had been there for long.
PAST_RUNS = """
from datetime import timedelta
from odoo import fields
link, start = env["account.online.link"].search([("name", "=", "Demo Bank")]), fields.Datetime.now()
for number in range(2, 58):
    begun = start - timedelta(hours=12 * number)
    failed = number in (17, 18, 40)
    link.run_ids.create({
        "account_online_link_id": link.id,
        "trigger": "schedule",
        "started_at": begun,
        "ended_at": begun + timedelta(seconds=2 + number % 5),
        "state": "failed" if failed else "done",
        "error_message": "The bank does not answer at the moment, so nothing was fetched." if failed else False,
        "imported": 0 if failed else number * 7 % 5 * 6,
        "fetched": 0 if failed else number * 7 % 5 * 6 + 3,
        "known": 0 if failed else 3,
    })
"""

#: Looks of the card and the form: name → what the engine writes on the link.
TROUBLE = {
    "code": {
        "error_code": "challenge_required",
        "error_action": "answer_challenge",
        "error_message": "The bank requires a code before it answers, so nothing was fetched. Use Synchronize Now and "
        "enter the code that the bank sends you.",
    },
    "expired": {
        "error_code": "consent_expired",
        "error_action": "renew",
        "error_message": "Your consent at the bank has expired, so the bank no longer sends transactions. Use Renew to "
        "grant it again; what was missed in the meantime is fetched then.",
    },
    "credentials": {
        "error_code": "credentials_rejected",
        "error_action": "renew",
        "error_message": "The bank did not accept the credentials, so nothing was fetched. Check on the bank's own "
        "website that you can sign in, then use Update Credentials.",
    },
    "institution_down": {
        "error_code": "institution_unavailable",
        "error_action": "retry",
        "error_message": "The bank does not answer at the moment, so nothing was fetched. Please try again later.",
    },
    "limit": {
        "error_code": "rate_limited",
        "error_action": "retry",
        "error_message": "The bank currently allows no further requests, because too many were sent. Please wait "
        "before you try again; the missing transactions are fetched then.",
        "retry_at": True,
    },
    "blocked": {
        "error_code": "client_blocked",
        "error_action": "reactivate",
        "error_message": "The connection service has blocked this database to protect your bank data, so nothing was "
        "fetched. Confirm your phone number to unblock it.",
    },
    "auto_sync": {
        "error_code": "auto_sync_forbidden",
        "error_action": "disable_auto_sync",
        "error_message": "This bank answers only while a user is present, so the automatic synchronization fetched "
        "nothing. Switch it off for this connection, and use Synchronize Now.",
    },
    "support": {
        "error_code": "unexpected_answer",
        "error_action": "contact_support",
        "error_message": "The connection service sent an answer that can't be read, so nothing was fetched. Try again "
        "later, and contact support if this message persists.",
    },
}


def search(camera):
    # Why in the past: some days are left that the journals lack later.
    camera.installation.move_demo_clock(-24 * 4)
    camera.open("/odoo/accounting")
    camera.sees("Connect bank")
    camera.photograph("dashboard_before")
    camera.installation.shell(SECOND_PROVIDER)
    camera.open("/odoo/connect-bank")
    camera.choose_bank("Demo")
    camera.sees("Demo World Bank")
    camera.photograph_everywhere("connect")
    find(camera, "Demo World Bank").click()
    camera.sees("Several providers reach this bank")
    camera.photograph("connect_provider")
    find(camera, "Demo Beta Bank").click()
    camera.sees("What does Beta mean?")
    camera.photograph_everywhere("connect_beta")
    camera.choose_bank("Nowhere Savings")
    camera.sees("No bank found")
    camera.photograph("connect_not_found")
    camera.click("My bank is not listed")
    camera.page.locator(".modal").wait_for()
    camera.photograph("connect_not_listed")
    providers = camera.call(PROVIDER, "search", [("active", "=", True)])
    camera.call(PROVIDER, "write", providers, {"active": False})
    camera.open("/odoo/connect-bank")
    camera.sees("No provider is switched on")
    camera.photograph("connect_no_provider")
    demo = camera.call(PROVIDER, "search", [("code", "=", "sandbox"), ("active", "=", False)])
    camera.call(PROVIDER, "write", demo, {"active": True})


def find(camera, name):
    """Type the name, and wait until the list has followed."""
    row = camera.choose_bank(name)
    camera.page.wait_for_timeout(1000)
    return row


def visit(camera):
    with camera.another_tab(BLOCK_WINDOWS) as blocked:
        # Why a tab of its own: this page keeps the breadcrumb of a desk when its window becomes small.
        blocked.page.set_viewport_size(PHONE)
        be_blocked(blocked)
        blocked.photograph("visit_blocked_phone")
        blocked.click("Cancel")
        blocked.sees("Cancelled")
    with camera.another_tab(BLOCK_WINDOWS) as blocked:
        be_blocked(blocked)
        blocked.photograph("visit_blocked")
        blocked.click("Resume Later")
        blocked.sees("You have started to connect")
        blocked.photograph("connect_begun")
        blocked.click("Forget")
        expect(blocked.page.locator(".o_bank_begun")).to_have_count(0)
    questions(camera, "Demo Code Bank", "visit_code")
    questions(camera, "Demo App Bank", "visit_app")


def be_blocked(camera):
    camera.open("/odoo/connect-bank")
    find(camera, "Demo Bank").click()
    camera.sees("Your browser did not open the window")


def questions(camera, bank, name):
    """What a bank asks beside name and password; the visit is given up then."""
    camera.open("/odoo/connect-bank")
    row = find(camera, bank)
    with camera.page.expect_popup(timeout=PATIENCE) as opened:
        row.click()
    window = Tour(opened.value, camera.url)
    window.page.set_viewport_size({"width": 720, "height": 720})
    window.page.get_by_label("User name").fill("demo")
    window.page.get_by_label("Password").fill("demo")
    window.click("Sign in")
    expect(window.page.get_by_label("Password")).to_have_count(0, timeout=PATIENCE)
    take(camera, window, name)
    window.page.close()
    camera.page.locator(".o_bank_visit_cancel").click()
    camera.sees("Cancelled")


def take(camera, window, name):
    """A picture of another window."""
    mine, camera.page = camera.page, window.page
    try:
        camera.photograph(name)
    finally:
        camera.page = mine


def accounts(camera):
    camera.open("/odoo/connect-bank")
    row = find(camera, "Demo Bank")
    with camera.at_the_bank(row.click) as bank:
        bank.page.set_viewport_size({"width": 720, "height": 720})
        bank.page.get_by_label("User name").fill("demo")
        bank.page.get_by_label("Password").fill("demo")
        take(camera, bank, "bank_sign_in")
        bank.click("Sign in")
        bank.sees("Business account")
        take(camera, bank, "bank_consent")
        camera.photograph("visit_waiting")
        bank.click("Give consent")
    camera.sees("Choose the journal that each bank account fills")
    camera.photograph_everywhere("accounts")


def first_load(camera):
    camera.click("Synchronize", exact=True)
    camera.sees("or leave this page")
    camera.photograph_everywhere("first_load")
    camera.installation.fetch_planned()
    camera.sees("One step is left: the opening balance")
    camera.photograph_everywhere("first_load_summary")
    camera.open("/odoo/accounting")
    camera.sees("Opening balance not booked")
    camera.photograph("card_opening", of=camera.card("Bank"))
    camera.open(f"/odoo/first-load/{demo_link(camera)[0]}")
    camera.page.get_by_role("button", name="Book Opening Balance").first.click()
    camera.sees("Counterpart")
    camera.photograph("first_load_opening")
    with camera.on_a_phone():
        camera.photograph("first_load_opening_phone")
    camera.page.get_by_role("button", name="Book Opening Balance").last.click()
    camera.sees("The journal agrees with the bank.")


def mismatch(camera):
    """Accounts in other currencies, one of them led to a journal that does not fit."""
    camera.open("/odoo/connect-bank")
    row = find(camera, "Demo World Bank")
    with camera.at_the_bank(row.click) as bank:
        bank.page.get_by_label("User name").fill("demo")
        bank.page.get_by_label("Password").fill("demo")
        bank.click("Sign in")
        bank.click("Give consent")
    camera.sees("Choose the journal that each bank account fills")
    lines = "account.online.account.selection.line"
    line = camera.call(lines, "search", [("currency_id.name", "=", "GBP")])[-1:]
    free = camera.call(JOURNAL, "search", [("type", "=", "bank"), ("account_online_account_id", "=", False)])
    free = free or [camera.call(JOURNAL, "create", {"name": "House Bank", "code": "HOUS", "type": "bank"})]
    camera.call(lines, "write", line, {"action": "existing", "journal_id": free[0]})
    camera.page.reload()
    camera.sees("Choose the journal that each bank account fills")
    camera.photograph("accounts_mismatch")
    link = camera.call(LINK, "search", [("name", "=", "Demo World Bank")])
    set_on_link(camera, link, {"state": "error", "error_reference": "E-3MFX", **TROUBLE["code"]})


def dashboard(camera):
    others = camera.call(JOURNAL, "search", [("type", "in", ("sale", "purchase"))])
    camera.call(JOURNAL, "write", others, {"show_on_dashboard": False})
    camera.open("/odoo/accounting")
    camera.sees(re.compile("Synchronized (just now|.* ago)"))
    camera.photograph_everywhere("dashboard")
    camera.photograph("card_synchronized", of=camera.card("Bank"))


def card_states(camera):
    camera.installation.shell(PAST_RUNS)
    for state in ("planned", "running"):
        camera.installation.shell(SET_STATE.format(state=state))
        camera.open("/odoo/accounting")
        expect(camera.card("Bank").get_by_text("Progress")).to_be_visible(timeout=PATIENCE)
        camera.photograph(f"card_{state}", of=camera.card("Bank"))
    camera.installation.shell(SET_STATE.format(state="done"))
    for state in TROUBLE:
        set_trouble(camera, state)
        camera.open("/odoo/accounting")
        expect(camera.card("Bank").locator(".o_online_sentence")).to_be_visible(timeout=PATIENCE)
        camera.photograph(f"card_{state}", of=camera.card("Bank"))
    clear_trouble(camera)
    link = demo_link(camera)
    valid_until = camera.call(LINK, "read", link, ["expiring_synchronization_date"])[0]["expiring_synchronization_date"]
    set_on_link(camera, link, {"expiring_synchronization_date": str(date.today() + timedelta(days=6))})
    camera.open("/odoo/accounting")
    camera.sees("Renew")
    camera.photograph("card_renew", of=camera.card("Bank"))
    set_on_link(camera, link, {"expiring_synchronization_date": valid_until})


def connections(camera):
    camera.open("/odoo/online-synchronization")
    camera.sees("Demo Bank")
    camera.photograph_everywhere("connections")
    camera.page.locator(".o_switch_view.o_list").click()
    camera.page.locator(".o_list_view").wait_for()
    camera.photograph("connections_list")
    link = demo_link(camera)[0]
    camera.open(f"/odoo/online-synchronization/{link}")
    camera.sees("Automatic Synchronization")
    camera.photograph_everywhere("connection")
    for state in ("expired", "limit", "support"):
        set_trouble(camera, state)
        camera.open(f"/odoo/online-synchronization/{link}")
        camera.sees(TROUBLE[state]["error_message"])
        camera.photograph(f"connection_{state}")
    clear_trouble(camera)


def transactions(camera):
    """The list that an accountant works with, and one of its lines."""
    camera.open("/odoo/bank-transactions")
    row = camera.page.locator(".o_list_view .o_data_row").first
    row.wait_for()
    camera.photograph("transactions")
    with camera.on_a_phone():
        # Why opened again: a window made smaller keeps the list, but a phone shows cards.
        camera.open("/odoo/bank-transactions")
        camera.page.locator(".o_kanban_view .o_kanban_record").first.wait_for()
        camera.photograph("transactions_phone")
    camera.open("/odoo/bank-transactions")
    row.locator("[name=payment_ref]").click()
    camera.sees("From the Bank")
    camera.photograph_everywhere("transaction")


def history(camera):
    camera.open(HISTORY)
    camera.page.locator(".o_list_view .o_data_row").first.wait_for()
    camera.photograph("history")
    for view in ("graph", "pivot"):
        camera.page.locator(f".o_switch_view.o_{view}").click()
        camera.page.locator(f".o_{view}_view").wait_for()
        camera.photograph(f"history_{view}")


def missing(camera):
    """Days have passed at the bank that have not been fetched, and a user has deleted something."""
    camera.installation.move_demo_clock(0)
    journal = camera.call(JOURNAL, "search", [("type", "=", "credit")])
    lines = camera.call("account.bank.statement.line", "search", [("journal_id", "in", journal)])
    camera.call("account.bank.statement.line", "write", lines[4:6], {"statement_id": False})
    camera.call("account.bank.statement.line", "unlink", lines[4:6])
    action = camera.call(JOURNAL, "action_find_missing_transactions", journal)
    run_action(camera, action)
    camera.page.locator(".modal button[name=action_compare]").click()
    camera.page.locator(".modal [name=summary]").wait_for()
    camera.photograph_everywhere("missing")


def duplicates(camera):
    journal = camera.call(JOURNAL, "search", [("name", "=", "Bank")])
    twins = [
        {"journal_id": journal[0], "date": str(date.today()), "amount": -48.4, "payment_ref": "Office supplies"}
    ] * 2
    camera.call("account.bank.statement.line", "create", twins)
    action = camera.call(JOURNAL, "action_find_duplicate_transactions", journal)
    run_action(camera, action)
    camera.page.locator(".modal section").first.wait_for()
    camera.photograph("duplicates")
    group = camera.page.locator(".modal section").filter(has_text="Office supplies")
    group.locator("input[type=checkbox]").first.click()
    camera.page.locator(".modal button[name=action_delete]").click()
    camera.page.get_by_role("button", name="Delete", exact=True).last.click()
    camera.sees("1 transaction was deleted.")
    camera.photograph_everywhere("duplicates_undo")


def settings(camera):
    camera.open("/odoo/settings#account")
    block = camera.page.locator("#online_sync_service")
    for name in ("settings", "settings_phone"):
        if name == "settings_phone":
            camera.page.set_viewport_size(PHONE)
            camera.page.reload()
        block.wait_for(timeout=PATIENCE)
        block.evaluate("element => element.scrollIntoView()")
        camera.photograph(name)
    camera.page.set_viewport_size(DESKTOP)


def provider(camera):
    number = camera.call(PROVIDER, "search", [("code", "=", "enable_banking"), ("active", "in", (True, False))])[0]
    camera.open(f"{PROVIDERS}/{number}")
    camera.sees("1. Get keys")
    camera.photograph_everywhere("provider")
    camera.open("/bank_sync/institutions")
    camera.sees("Demo Bank")
    camera.photograph_everywhere("institutions")


def languages(camera):
    """The main screens again in Chinese, and from right to left."""
    link = demo_link(camera)[0]
    user = camera.call("res.users", "search", [("login", "=", "admin")])
    for code, suffix in LANGUAGES.items():
        camera.call("res.users", "write", user, {"lang": code})
        camera.suffix = suffix
        # Why: the first page still has the styles of the language before.
        camera.open("/odoo/accounting")
        camera.page.locator(".o_online_sync_status").first.wait_for()
        camera.open("/odoo/connect-bank")
        camera.page.locator("#o_bank_country").select_option(value="")
        camera.page.locator(".o_bank_row").first.wait_for()
        camera.photograph_everywhere("connect")
        camera.open(f"/odoo/first-load/{link}")
        camera.page.locator(".o_online_first_load section").first.wait_for()
        camera.photograph("first_load_summary")
        camera.open("/odoo/accounting")
        camera.page.locator(".o_online_sync_status").first.wait_for()
        camera.photograph_everywhere("dashboard")
        camera.open(f"/odoo/online-synchronization/{link}")
        camera.page.locator(".o_form_view").wait_for()
        camera.photograph_everywhere("connection")
        camera.open("/odoo/online-synchronization")
        camera.page.locator(".o_kanban_record").first.wait_for()
        camera.photograph("connections")
    camera.suffix = ""
    camera.call("res.users", "write", user, {"lang": "en_US"})


def phone(camera):
    """A service on another server that has no clients yet."""
    let_codes_grow_old(camera.installation)
    camera.open("/odoo/connect-bank")
    camera.sees("the connection service verifies a phone")
    camera.photograph("phone_needed")
    camera.click("Confirm a Phone Number")
    camera.page.locator(".modal [name=phone] input").fill("+32470123456")
    camera.photograph("phone")
    camera.page.locator(".modal button[name=action_send]").click()
    camera.page.locator(".modal [name=code] input").wait_for()
    camera.photograph_everywhere("phone_code")


def no_service(camera):
    camera.installation.proxy.stop()
    camera.open("/odoo/connect-bank")
    camera.page.locator(".o_bank_error").wait_for()
    camera.photograph_everywhere("connect_no_service")


def statement_files(camera):
    """A file is dropped on the card, looked at, imported, and listed with its *Undo Import*."""
    files = four_files(camera.installation.shell(DEMO_HISTORY))
    for name in ("statement.xml", "statement.csv"):
        drop_on_the_card(camera, name, files[name][0])
        confirm = camera.page.locator(".modal").get_by_role("button", name="Yes, Import Here")
        if name == "statement.xml":
            confirm.first.wait_for()
            camera.photograph("files_question")
            confirm.first.click()
        camera.sees("can be imported.")
        camera.photograph("files_preview" if name == "statement.xml" else "files_preview_csv")
        camera.click("Import", exact=True)
        camera.page.locator(".modal").wait_for(state="detached")
    camera.open("/odoo/accounting")
    camera.sees("Statement files up to")
    camera.photograph("files_card", of=camera.card("Bank"))
    camera.open("/odoo/statement-files")
    camera.page.locator(".o_data_row").filter(has_text="statement.xml").click()
    camera.sees("Undo Import")
    camera.photograph_everywhere("files_imported")


def reconcile(camera):
    """The reconciliation screen: a proposal, a bill beside its payment, a line on an account, the trail."""
    camera.installation.shell(BOOKS)
    camera.open("/odoo/accounting")
    camera.card("Bank").get_by_role("button", name="Reconcile").click()
    detail = camera.page.locator(".o_reconcile_detail[data-line-id][aria-busy=false]")
    expect(detail).to_contain_text("thanks", timeout=PATIENCE)
    camera.photograph_everywhere("reconcile")
    expect(detail).to_have_count(1, timeout=PATIENCE)
    for label, name in (("SUP-4711", "reconcile_bill"), ("OFFICE CENTER", "reconcile_account")):
        camera.page.locator(".o_kanban_record").filter(has_text=label).first.click()
        expect(detail.locator(".o_reconcile_label")).to_contain_text(label, timeout=PATIENCE)
        if name == "reconcile_account":
            camera.page.keyboard.press("Alt+a")
            camera.page.locator(".o_reconcile_detail input").first.wait_for()
        camera.photograph(name)


def demo_link(camera):
    return camera.call(LINK, "search", [("name", "=", "Demo Bank")])


def set_on_link(camera, link, values):
    """What no user can set."""
    camera.installation.shell(f"env[{LINK!r}].browse({link!r}).write({values!r})")


def set_trouble(camera, state):
    values = {"state": "error", "error_reference": "E-7KQ2", "retry_at": False, **TROUBLE[state]}
    # Why UTC by the server's clock: the bank says it so.
    if values["retry_at"]:
        values["retry_at"] = f"{date.today() + timedelta(days=1)} 06:00:00"
    set_on_link(camera, demo_link(camera), values)


def clear_trouble(camera):
    names = ("error_code", "error_action", "error_message", "error_reference", "retry_at")
    set_on_link(camera, demo_link(camera), {"state": "connected", **dict.fromkeys(names, False)})


def run_action(camera, action):
    """Open an action where the dashboard is, as its menu does."""
    camera.open("/odoo/accounting")
    camera.page.locator(".o_online_sync_status").first.wait_for()
    camera.page.evaluate("action => odoo.__WOWL_DEBUG__.root.env.services.action.doAction(action)", action)
    camera.page.locator(".modal").wait_for()


PARTS = (
    search,
    visit,
    accounts,
    first_load,
    mismatch,
    dashboard,
    card_states,
    connections,
    transactions,
    history,
    missing,
    duplicates,
    settings,
    provider,
    languages,
)
#: In a company that has no bank connection yet.
PARTS_WITHOUT_A_BANK = (statement_files, reconcile)
PARTS_WITH_A_PROXY = (phone, no_service)
