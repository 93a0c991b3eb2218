"""The proxy's hosted pages in a real browser, which alone knows cookies, policies and redirections as they are.

Each page leaves pictures in `.environment/screenshots`, wide and on a telephone: look at them after a change of a page.
"""

import os
import re
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright
from werkzeug.wrappers import Response

from .web import web_server

SCREENSHOTS = Path(__file__).parents[1] / ".environment" / "screenshots"
PATIENCE = 60_000
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


class Browser:
    """Windows of one person, without Odoo's session."""

    def __init__(self, playwright):
        self._browser = playwright.chromium.launch(
            executable_path=os.environ["BANK_SYNC_CHROMIUM"],
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"],
        )
        self.page = self.new_person()

    def new_person(self, viewport=WIDE):
        page = self._browser.new_context(viewport=viewport, locale="en-US").new_page()
        page.set_default_timeout(PATIENCE)
        return page

    def close(self):
        self._browser.close()


@pytest.fixture
def browser():
    if not os.environ.get("BANK_SYNC_CHROMIUM"):
        pytest.skip("no Chromium that Playwright can drive on this machine: scripts/test tells what to install")
    with sync_playwright() as playwright:
        browser = Browser(playwright)
        yield browser
        browser.close()


def photograph(page, name):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for suffix, viewport in (("", WIDE), ("_phone", PHONE)):
        page.set_viewport_size(viewport)
        page.screenshot(path=SCREENSHOTS / f"pages_{name}{suffix}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing is cut off"
    page.set_viewport_size(WIDE)


def start(served, institution, return_url=None, language=None):
    """:return: the ticket's whole address"""
    script = f"""
env['ir.config_parameter'].set_param('web.base.url', {served.url!r})
api, client = env['bank.sync.api'], env['bank.sync.client']._get_embedded()
answer = api._dispatch(client, 'connections.start', {{
    'return_url': '/web/login?back=1', 'institution_id': {institution!r} and 'sandbox.' + ({institution!r} or ''),
    'language': {language!r},
}})
if {return_url!r}:
    env['bank.sync.visit']._find(answer['page_url'].rsplit('/', 1)[1]).return_url = {return_url!r}
result = answer['page_url']
"""
    return served.url + served.shell(script)


def sign_in(page):
    page.get_by_label("User name").fill("demo")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Sign in").click()


def test_a_ticket_lets_in_one_browser(served, browser):
    ticket = start(served, "demo")
    page = browser.page
    page.goto(ticket)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert "/bank_sync/visit/" in page.url
    page.goto(ticket)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    other = browser.new_person()
    other.goto(ticket)
    expect(other.get_by_role("heading", name="This address has been used already")).to_be_visible()
    photograph(other, "ticket_used")
    other.goto(page.url)
    expect(other.get_by_role("heading", name="These pages belong to another browser")).to_be_visible()
    photograph(other, "elsewhere")


@pytest.mark.parametrize("elsewhere", [False, True])
def test_over_the_bank_s_own_page_to_the_books(served, browser, elsewhere):
    """Also where the database is on another host: a form's policy must not hold the browser back."""
    books = served.url.replace("127.0.0.1", "localhost") + "/web/login?back=1" if elsewhere else None
    page = browser.page
    page.goto(start(served, None, books))
    page.locator("button[name=institution]").filter(has=page.get_by_text("Demo Redirect Bank", exact=True)).click()
    page.wait_for_url("**/bank_sync/sandbox/bank?**")
    expect(page.get_by_role("heading", name="Allow access to your accounts?")).to_be_visible()
    photograph(page, "sandbox_bank")
    page.go_back()
    expect(page.get_by_text("have not come back from there yet")).to_be_visible()
    photograph(page, "redirect")
    page.get_by_role("link", name="Open the bank's page again").click()
    page.get_by_role("button", name="Refuse").click()
    expect(page.get_by_role("heading", name="You have refused at the bank")).to_be_visible()
    photograph(page, "refused_at_the_bank")
    page.get_by_role("button", name="Go to the bank again").click()
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(re.compile(r"/web/login\?.*back=1.*connection_id="))
    assert (urlsplit(page.url).hostname == "localhost") is elsewhere
    assert "code=" not in page.url


def test_the_last_form_leads_to_books_on_another_host(served, browser):
    books = served.url.replace("127.0.0.1", "localhost") + "/web/login?back=1"
    page = browser.page
    page.goto(start(served, "demo", books))
    sign_in(page)
    page.get_by_role("button", name="Give consent").click()
    page.wait_for_url(re.compile(r"http://localhost:\d+/web/login\?.*connection_id="))


def test_an_app_s_approval_is_waited_for_without_a_click(served, browser):
    page = browser.page
    page.goto(start(served, "demo-app"))
    sign_in(page)
    expect(page.get_by_role("status")).to_contain_text("Waiting for your approval")
    photograph(page, "approval")
    page.get_by_role("button", name="I have approved").click()
    expect(page.get_by_role("status")).to_contain_text("Waiting for your approval")
    expect(page.get_by_role("heading", name="Choose accounts")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Give consent").click()
    page.wait_for_url("**/web/login?**")


def test_a_bank_that_sends_a_form_from_another_site(served, browser):
    """The browser sends no cookies with such a form, but does with what follows."""
    page = browser.page
    page.goto(start(served, "demo-redirect"))
    page.wait_for_url("**/bank_sync/sandbox/bank?**")
    state = dict(parse_qsl(urlsplit(page.url).query))["state"]
    # The code that the bank's own page would have sent.
    code = served.shell(
        "result = env['bank.sync.provider'].search([('code', '=', 'sandbox')])._adapter()"
        f".approved('demo-redirect', 'demo', {state!r})"
    )
    with another_site(served.url + "/bank_sync/callback/sandbox", state=state, code=code) as url:
        page.goto(url)
        page.get_by_role("button").click()
        page.wait_for_url("**/web/login?**connection_id=**")


def another_site(action, **values):
    """A page of another site whose form leads to us."""
    fields = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in values.items())
    return site_with(f'<form method="post" action="{action}">{fields}<button>Go</button></form>')


@contextmanager
def site_with(html):
    """A page of another site."""
    with web_server(lambda _asked: Response(html, mimetype="text/html")) as url:
        yield url.replace("127.0.0.1", "localhost") + "/"


def test_all_kinds_of_questions_on_a_telephone_and_from_right_to_left(served, browser):
    served.shell("env['res.lang']._activate_lang('ar_001')\nenv.registry.signal_changes()")
    ticket = start(served, "demo-code", language="ar_001")
    served.shell(
        "from odoo.addons.bank_sync_proxy.providers.types import Challenge, Field, Option\n"
        "visit = env['bank.sync.visit'].search([], limit=1)\n"
        "options = (Option('sms', 'By text message', '•••• 56'), Option('mail', 'By e-mail', 'j•••@example.com'))\n"
        "fields = (Field('n', 'Your customer number', type='info', value='77 310'),"
        " Field('m', 'How do you want to receive the code?', type='choice', options=options, value='sms'))\n"
        "visit._take(Challenge(title='Choose a way', kind='choice', message='The bank sends a code.', fields=fields))"
    )
    page = browser.page
    page.goto(ticket)
    expect(page.get_by_role("radio")).to_have_count(2)
    assert page.evaluate("getComputedStyle(document.body).direction") == "rtl"
    photograph(page, "choice_rtl")

    page.goto(start(served, "demo-code"))
    sign_in(page)
    expect(page.get_by_label("Code")).to_be_focused()
    photograph(page, "code")
    page.get_by_label("Code").fill("123456")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("checkbox")).to_have_count(2)
    photograph(page, "consent")


def test_a_blocked_client_s_page_says_why(served, browser):
    page = browser.page
    page.goto(start(served, "demo"))
    served.shell(
        "env['bank.sync.client']._get_embedded()._block('The invoice of May is open. Please call us.', 'support')"
    )
    try:
        page.reload()
        expect(page.get_by_text("The invoice of May is open.")).to_be_visible()
        photograph(page, "blocked")
    finally:
        served.shell("env['bank.sync.client']._get_embedded()._unblock()")


def start_for_another(served, known=False):
    """:return: ticket of a visit for a database on another server"""
    return served.url + served.shell(
        f"""
client = env['bank.sync.client'].create({{
    'name': 'Contoso Trading GmbH', 'database_uuid': 'contoso', 'url': 'https://books.contoso.example:8443/odoo'}})
if {known!r}:
    client.confirmed_url = client.url
values = {{'client_id': client.id, 'institution_id': env['bank.sync.institution']._find('sandbox.demo-redirect').id}}
if {known!r}:
    env['bank.sync.connection'].create({{**values, 'state': 'connected'}})
connection = env['bank.sync.connection'].create(values)
visits = env['bank.sync.visit']
state = visits._new_token()
first = connection._begin('connect', 'en_US', state)
result = visits._open(
    connection, 'connect', first, state, return_url='https://books.contoso.example:8443/odoo/back')['page_url']
"""
    )


def test_who_gets_the_data_is_said_before_the_bank_is(served, browser):
    page = browser.page
    page.goto(start(served, "demo"))
    expect(page.get_by_text("Your bank data goes to this database")).to_be_visible()
    photograph(page, "receiver_here")

    page = browser.new_person()
    page.goto(start_for_another(served))
    expect(page.get_by_text("not confirmed")).to_be_visible()
    expect(page.get_by_text("never received bank data")).to_be_visible()
    page.wait_for_timeout(2500)
    assert "/bank_sync/visit/" in page.url, "nobody is sent to the bank before having read it"
    photograph(page, "receiver_first")
    page.get_by_role("link", name="Continue").click()
    page.wait_for_url("**/bank_sync/sandbox/bank?**")
    expect(page.get_by_text("books.contoso.example:8443").first).to_be_visible()
    photograph(page, "receiver_at_the_bank")

    page = browser.new_person()
    page.goto(start_for_another(served, known=True))
    visit = page.url
    page.wait_for_url("**/bank_sync/sandbox/bank?**")
    page.goto(visit)
    expect(page.get_by_text("This address is confirmed")).to_be_visible()
    photograph(page, "receiver_known")


def test_no_page_of_ours_shows_in_a_frame_of_another_site(served, browser):
    page = browser.page
    page.goto(start(served, "demo"))
    visit = page.url
    for address in (
        start(served, "demo"),
        visit,
        f"{visit}/bank",
        f"{served.url}/bank_sync/callback/sandbox?state=x",
        f"{served.url}/bank_sync/sandbox/bank?institution=demo-redirect&state=x",
        f"{served.url}/bank_sync/institutions",
    ):
        with site_with(f'<h1>Win a prize</h1><iframe src="{address}" width="600" height="600"></iframe>') as url:
            page.goto(url)
            expect(page.get_by_role("heading", name="Win a prize")).to_be_visible()
            page.wait_for_timeout(500)
            (frame,) = page.main_frame.child_frames
            assert "bank" not in (frame.content() if frame.url.startswith("http") else ""), address
            assert frame.url.startswith("chrome-error:"), frame.url


def test_page_that_another_site_has_opened_reveals_nothing_to_it(served, browser):
    ticket = start(served, "demo")
    with site_with(f"<button onclick=\"window.opened = window.open('{ticket}')\">Open</button>") as url:
        page = browser.page
        page.goto(url)
        with page.expect_popup() as popup:
            page.get_by_role("button").click()
        expect(popup.value.get_by_role("heading", name="Sign in")).to_be_visible()
        for spying in ("location.href", "document.body.innerHTML", "document.cookie"):
            attempt = f"try {{ window.opened.{spying}; return 'read' }} catch (error) {{ return error.name }}"
            assert page.evaluate(f"(() => {{ {attempt} }})()") == "SecurityError"
        assert popup.value.evaluate("document.referrer") in ("", url)
