"""Translates sentences of the readers, which are pure Python without translations."""

from odoo.addons.bank_statement_formats.formats import Sentence
from odoo.tools.translate import get_translation


def say(env, sentence):
    """:param sentence: of ``bank_statement_formats`` or of ``client/words.py``; any other text is returned unchanged"""
    if isinstance(sentence, Sentence):
        return get_translation(
            "bank_statement_formats", env.lang or "en_US", sentence.source, sentence.parameters or {}
        )
    return env["account.online.service"]._translate(sentence)
