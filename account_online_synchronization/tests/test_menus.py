import re
from pathlib import Path

from odoo.tests import TransactionCase, tagged

ADDON = Path(__file__).parents[1]
#: Beside the addon where it is a clone of the repository.
DOCUMENTS = [ADDON.parent / "README.md", *ADDON.parent.glob("docs/*.md"), *ADDON.parent.glob("migration/*.md")]
PATH = re.compile(r"\*((?:Accounting|Invoicing) ‣ [^*]+)\*")


@tagged("post_install", "-at_install")
class TestMenus(TransactionCase):
    """Documents name menus as Odoo Community shows them."""

    def test_each_menu_path_of_the_documents_exists(self):
        menus = self.env["ir.ui.menu"].with_context(**{"ir.ui.menu.full_list": True}).search([]).mapped("complete_name")
        paths = {
            " ".join(path.split())
            for document in [*ADDON.glob("readme/*.rst"), *DOCUMENTS]
            if document.exists()
            for path in PATH.findall(document.read_text(encoding="utf-8"))
        }
        self.assertIn("Invoicing ‣ Configuration ‣ Banks ‣ Add a Bank Account", paths)
        self.assertEqual({path for path in paths if path.replace(" ‣ ", "/") not in menus}, set())
