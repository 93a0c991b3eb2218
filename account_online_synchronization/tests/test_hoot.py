from pathlib import Path

from odoo.addons.web.tests import test_js
from odoo.tests import HttpCase, no_retry, tagged

from .doors_world import ADDONS

ROOT = Path(__file__).parents[2]


@tagged("post_install", "-at_install")
class TestHoot(HttpCase):
    """Unit tests of the components, in Odoo's own framework and a real browser: static/tests/*.test.js.

    Why one test for all our addons: Odoo builds one bundle for all of them, which takes longer than the tests.
    """

    @no_retry
    def test_components(self):
        written = {addon: self.count_tests(addon) for addon in self.installed()}
        suites = [test_js.HOOTCommon._generate_hash(self, f"@{addon}") for addon, number in written.items() if number]
        query = "".join(f"&id={suite}" for suite in suites)
        with self.assertLogs(self._logger.getChild("browser"), level="INFO") as logs:
            try:
                self.browser_js(
                    f"/web/tests?headless&loglevel=2&preset=desktop&timeout=15000{query}",
                    "",
                    login="admin",
                    timeout=300,
                    success_signal="[HOOT] Test suite succeeded",
                    error_checker=test_js.unit_test_error_checker,
                )
            except self.failureException as failure:
                # What has failed is in the log, which assertLogs keeps to itself.
                self.fail("\n".join([str(failure), *logs.output]))
        # Why counted: a suite that is not found does not fail.
        self.assertIn(f"[HOOT] Passed {sum(written.values())} tests", "\n".join(logs.output))

    def installed(self):
        domain = [("name", "in", ADDONS), ("state", "=", "installed")]
        return self.env["ir.module.module"].search(domain).mapped("name")

    def count_tests(self, addon):
        files = (ROOT / addon / "static" / "tests").glob("*.test.js")
        return sum(path.read_text(encoding="utf-8").count("\ntest(") for path in files)
