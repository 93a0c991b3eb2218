import re

from odoo.addons.bank_sync_proxy.tests.common import PagesCase
from odoo.addons.bank_sync_proxy.tests.more_providers import MoreProvidersMixin
from odoo.tests import tagged

PAGE = "/bank_sync/institutions"


@tagged("post_install", "-at_install")
class TestInstitutionsPage(MoreProvidersMixin, PagesCase):
    """The public list of supported banks, and the choice between several ways to one bank."""

    def setUp(self):
        super().setUp()
        self.list_of(
            self.second,
            ("fortis", "BNP Paribas Fortis", "BE", "GEBABEBB", "https://example.com/logo.png"),
            *((str(number), f"Village Bank {number:02}", "AT") for number in range(60)),
        )
        self.list_of(self.third, ("bnpf", "BNP Paribas Fortis SA/NV", "BE", "GEBABEBBXXX", None, "beta"))
        self.update()
        # No user is signed in.
        self.authenticate(None, None)

    def titles(self, page):
        return [" ".join(title.split()) for title in re.findall(r"<h2>\s*(.*?)\s*<", page.text, re.DOTALL)]

    def test_anybody_sees_what_each_bank_can_do(self):
        page = self.get(f"{PAGE}?q=attended")
        self.assertEqual((page.status_code, self.titles(page)), (200, ["Demo Attended Bank"]))
        for text in ("only while you are present", "120 days", "180 days", "Demo Bank", "Demonstration", "DEMANLA0"):
            self.assertIn(text, page.text)

    def test_it_counts_banks_and_countries(self):
        countries = len(self.env["bank.sync.institution"]._countries())
        banks = sum(self.env["bank.sync.institution"]._count_by_country().values())
        text = " ".join(self.get(PAGE).text.split())
        self.assertIn(f"{banks} banks in {countries} countries can be connected", text)

    def test_all_ways_to_a_bank_are_named_in_their_order(self):
        page = self.get(f"{PAGE}?q=fortis")
        self.assertEqual(self.titles(page), ["BNP Paribas Fortis"])
        self.assertRegex(page.text, r"Second Provider,\s*Third Provider \(Beta\)")
        self.assertIn('src="https://example.com/logo.png"', page.text)

    def test_beta_is_explained_where_it_occurs(self):
        self.assertIn("it may be interrupted", self.get(f"{PAGE}?q=demo+beta").text)
        self.assertNotIn("it may be interrupted", self.get(f"{PAGE}?q=village").text)

    def test_pages_lead_through_all_banks(self):
        seen, address = [], f"{PAGE}?country=AT"
        while address:
            page = self.get(address)
            seen += self.titles(page)
            following = re.search(r'rel="next" href="([^"]+)"', page.text)
            address = following and PAGE + following[1].replace("&amp;", "&")
        self.assertEqual(seen, [f"Village Bank {number:02}" for number in range(60)])
        self.assertIn("First page", page.text)

    def test_an_empty_result_says_what_to_do(self):
        page = self.get(f"{PAGE}?q=xqzvwk&country=BE")
        self.assertIn("No bank found", page.text)
        self.assertIn('href="?q=xqzvwk"', page.text)
        self.env["bank.sync.provider"].search([]).active = False
        page = self.get(PAGE)
        self.assertIn("The list of banks is empty", page.text)
        self.assertIn("switch on a provider", page.text)

    def test_nonsense_is_answered_like_a_request(self):
        for query in (
            "q=%00&country=%00",
            "q=%3Cscript%3Ealert(1)%3C/script%3E",
            "country=%22%3E%3Cscript%3E",
            "cursor=rubbish",
            f"cursor={'a' * 5000}",
            f"q={'long+' * 1000}",
            "q=a&q=b&unknown=1",
        ):
            with self.subTest(query=query[:30]):
                page = self.get(f"{PAGE}?{query}")
                self.assertEqual(page.status_code, 200)
                self.assertNotIn("<script", page.text)

    def test_a_page_is_never_longer_than_its_size(self):
        page = self.get(f"{PAGE}?limit=10000&page_size=10000")
        self.assertEqual(len(self.titles(page)), 25)

    def test_it_is_strict_and_may_be_kept_for_some_minutes(self):
        page = self.get(PAGE)
        policy = page.headers["Content-Security-Policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("script-src", policy)
        self.assertEqual(page.headers["Cache-Control"], "public, max-age=300")
        self.assertIn("Accept-Language", page.headers["Vary"])
        self.assertNotIn("X-Robots-Tag", page.headers)
        self.assertNotIn("Set-Cookie", page.headers, "a cache must not hand out one visitor's session")
        self.assertNotIn("<script", page.text)
        self.assertNotRegex(page.text, r"\son[a-z]+=|style=")

    def test_it_comes_in_the_visitor_s_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env["res.country"].search([("code", "=", "AT")]).with_context(lang="fr_FR").name = "Autriche"
        del self.opener.cookies["session_id"]
        page = self.url_open(PAGE, headers={"Accept-Language": "fr-FR,fr;q=0.9"})
        self.assertIn('lang="fr-FR"', page.text)
        self.assertIn("Autriche", page.text)
        self.assertIn('lang="en-US"', self.url_open(PAGE, headers={"Accept-Language": "tlh"}).text)

    def test_it_can_be_switched_off(self):
        for value, status in (("0", 404), ("False", 404), ("1", 200)):
            self.env["ir.config_parameter"].set_param("bank_sync_proxy.public_institutions", value)
            page = self.get(PAGE)
            self.assertEqual(page.status_code, status)
        self.env["ir.config_parameter"].set_param("bank_sync_proxy.public_institutions", "no")
        page = self.get(PAGE)
        self.assertIn("not public", page.text)
        self.assertEqual(page.headers["Cache-Control"], "no-store")

    def search(self, query):
        """:return: the choice page, searched in, as the browser of a new visit sees it"""
        first = self.enter(self.start(institution=None))
        return self.get(f"{first.url.partition('?')[0]}?q={query}&country=")

    def test_user_chooses_the_provider_of_a_bank(self):
        page = self.search("fortis")
        text = " ".join(page.text.split())
        self.assertLess(text.index('value="second.fortis"'), text.index('value="third.bnpf"'))
        self.assertIn("via Second Provider", text)
        self.assertIn('aria-label="BNP Paribas Fortis via Third Provider"', text)
        self.assertIn("it may be interrupted", text)
        chosen = self.post(page, institution="third.bnpf")
        self.assertIn("Third Provider", chosen.text)
        back = self.post(chosen, action="back")
        self.assertIn("Second Provider", self.post(back, institution="second.fortis").text)

    def test_single_provider_of_a_bank_is_not_a_choice(self):
        self.assertNotIn("or via", self.search("village").text)
