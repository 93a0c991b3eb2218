"""Addresses in sentences become links."""

import re

from markupsafe import Markup, escape

#: What ends a sentence does not belong to the address.
ADDRESS = re.compile(r"https://[\w./?&=%~#:+-]*[\w/]", re.ASCII)


def with_links(text):
    """:return: Markup; only https becomes a link, everything else is text"""
    parts, end = [], 0
    for found in ADDRESS.finditer(text or ""):
        address = found.group()
        link = Markup('<a href="%s" target="_blank" rel="noopener noreferrer">%s</a>') % (address, address)
        parts += [escape(text[end : found.start()]), link]
        end = found.end()
    return Markup().join([*parts, escape((text or "")[end:])])
