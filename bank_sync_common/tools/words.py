"""Sentences of the code without Odoo: made in English, together with what is needed to translate them later."""


class Sentence(str):
    """A sentence for a user, in English, which can be translated later, where the reader's language is known.

    :param str source: as in the translation files, with ``%(name)s`` where something is filled in
    :param parameters: values to fill in, by name
    """

    def __new__(cls, source, **parameters):
        sentence = super().__new__(cls, source % parameters if parameters else source)
        sentence.source = source
        sentence.parameters = parameters
        return sentence


#: Odoo's export of terms looks for a function with this name.
_lt = Sentence
