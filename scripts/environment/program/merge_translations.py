"""Bring the languages of an addon in line with its template, ``<addon>/i18n/<addon>.pot``."""

import sys
from pathlib import Path

import polib

LANGUAGES = ("de", "es", "fr", "nl", "zh_CN")
WIDTH = 120


def main(path):
    template = Path(path)
    terms = cleaned(polib.pofile(str(template)))
    terms.wrapwidth = WIDTH
    terms.save()
    for language in LANGUAGES:
        file = template.with_name(f"{language}.po")
        missing = bring_in_line(file, terms, language)
        print(f"{template.parent.parent.name}, {language}: {missing or 'nothing'} left to translate")


def cleaned(terms):
    """:return: the same without terms of tests, and without the time of the export"""
    for name in ("POT-Creation-Date", "PO-Revision-Date"):
        terms.metadata.pop(name, None)
    for term in list(terms):
        term.occurrences = [place for place in term.occurrences if "/tests/" not in place[0]]
        if not term.occurrences:
            terms.remove(term)
    return terms


def bring_in_line(file, terms, language):
    """:return: how many terms have no translation"""
    known = {term.msgid: term.msgstr for term in polib.pofile(str(file))} if file.exists() else {}
    written = polib.POFile(wrapwidth=WIDTH)
    written.header = terms.header
    written.metadata = {**terms.metadata, "Language": language}
    for term in terms:
        written.append(
            polib.POEntry(
                msgid=term.msgid,
                msgstr=known.get(term.msgid, ""),
                comment=term.comment,
                occurrences=term.occurrences,
                flags=term.flags,
            )
        )
    written.save(str(file))
    return len(written.untranslated_entries())


if __name__ == "__main__":
    main(sys.argv[1])
