"""docs/upgrading.md names all of Odoo that the addons use and that Odoo may change without a word."""

import re

from bank_sync_proxy.tests.pure.private_names import ROOT, addons, private_names, sources

DOCUMENT = (ROOT / "docs" / "upgrading.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)
INHERITED = re.compile(r'inherit_id" ref="([\w.]+)"|t-inherit="([\w.]+)"')
IMPORTED = re.compile(r'from "(@(?!odoo/)[\w/]+)"')


def section(title):
    return set(ROW.findall(re.search(rf"^## {title}$.*?(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL).group()))


def test_each_private_name_has_a_row_and_each_row_is_used():
    assert section("Private names of Python") == set(private_names())


def test_each_view_that_is_inherited_has_a_row():
    ours = {addon.name for addon in addons()}
    inherited = {
        name
        for path in sources(".xml")
        for pair in INHERITED.findall(path.read_text(encoding="utf-8"))
        for name in pair
        if "." in name and name.split(".")[0] not in ours
    }
    assert section("Views and templates") == inherited


def test_each_module_of_the_web_client_has_a_row():
    ours = {f"@{addon.name}" for addon in addons()}
    imported = {
        name
        for path in sources(".js")
        for name in IMPORTED.findall(path.read_text(encoding="utf-8"))
        if name.split("/")[0] not in ours
    }
    assert section("Modules of the web client") == imported
