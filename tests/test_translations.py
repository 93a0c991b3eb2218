"""Each language translates every term, with the same placeholders."""

import re
from pathlib import Path

import polib
import pytest

from environment.testing import TEMPLATE

from .conftest import Installation

ROOT = Path(__file__).parents[1]
ADDONS = (
    *("account_online_synchronization", "account_online_reconcile", "account_online_files"),
    *("bank_statement_formats", "bank_sync_common", "bank_sync_proxy", "bank_sync_proxy_server"),
)
LANGUAGES = ("de", "es", "fr", "nl", "zh_CN")
#: What a translation has to keep: what is filled in, and the elements around words.
KEPT = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\{.*?\}\}|\{\w+\}|<[^>]*>|\[\w+\]")

each_addon = pytest.mark.parametrize("addon", ADDONS)
each_language = pytest.mark.parametrize("language", LANGUAGES)


def terms_of(addon, language=None):
    folder = ROOT / addon / "i18n"
    return polib.pofile(str(folder / f"{language or addon}.po{'' if language else 't'}"))


@each_addon
@each_language
def test_each_language_says_everything(addon, language):
    terms = {term.msgid: term for term in terms_of(addon, language)}
    wanted = {term.msgid for term in terms_of(addon)}
    assert wanted == set(terms), "Run scripts/translations and translate what is new."
    untold = [term.msgid for term in terms.values() if not term.msgstr.strip() or term.fuzzy]
    assert not untold


@each_addon
@each_language
def test_placeholders_and_surrounding_spaces_are_the_same_in_each_language(addon, language):
    differing = [
        (term.msgid, term.msgstr)
        for term in terms_of(addon, language)
        if sorted(KEPT.findall(term.msgid)) != sorted(KEPT.findall(term.msgstr))
    ]
    assert not differing


@each_addon
def test_what_is_to_be_translated_is_what_the_addon_says(addon, tmp_path):
    exported = tmp_path / f"{addon}.pot"
    Installation(TEMPLATE).odoo("i18n", "export", "-d", TEMPLATE, "-l", "pot", "-o", str(exported), addon)
    said = {
        term.msgid
        for term in polib.pofile(str(exported))
        if any("/tests/" not in place for place, _line in term.occurrences)
    }
    assert said == {term.msgid for term in terms_of(addon)}, "Run scripts/translations and translate what is new."
