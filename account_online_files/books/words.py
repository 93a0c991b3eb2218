"""Sentences of the readers in the user's language: those are pure Python and know no language."""

from odoo.addons.bank_statement_formats.formats import Sentence
from odoo.tools.translate import get_translation


def say(env, sentence):
    """:param sentence: of ``bank_statement_formats`` or of ``client/words.py``; any other text stays as it is"""
    if isinstance(sentence, Sentence):
        return get_translation(
            "bank_statement_formats", env.lang or "en_US", sentence.source, sentence.parameters or {}
        )
    return env["account.online.service"]._translate(sentence)
