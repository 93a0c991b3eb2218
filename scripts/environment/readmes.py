"""README.rst and the page of the app store, written from each addon's fragments in ``readme/``, as in OCA."""

import ast
import sys

from . import bootstrap, paths, process
from .console import complain, say

#: Fragments in the order in which they appear, with their headings.
SECTIONS = {
    "DESCRIPTION": "",
    "INSTALL": "Installation",
    "CONFIGURE": "Configuration",
    "USAGE": "Usage",
    "DEVELOP": "Development",
    "CONTRIBUTORS": "Contributors",
}
WRITTEN = ".. This file is written by scripts/readme from readme/*.rst: change those."
PAGE = """\
<section class="oe_container">
<div class="oe_row oe_spaced">
<h1 class="oe_slogan">{name}</h1>
<h2 class="oe_slogan">{summary}</h2>
{body}
</div>
</section>
"""


def write(_arguments):
    """What scripts/readme does: the same with the environment's Python, which has docutils."""
    bootstrap.bootstrap(odoo=False, database_server=False)
    return process.wait(process.start([paths.PYTHON, "-m", "environment.readmes"], cwd=paths.ROOT / "scripts"))


def main(arguments):
    """Write the files, or with --check say which are not as they should be."""
    stale = []
    for path, text in files():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(str(path.relative_to(paths.ROOT)))
            if "--check" not in arguments:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
    for name in stale:
        (complain if "--check" in arguments else say)(name)
    return int(bool(stale and "--check" in arguments))


def files():
    """:return: (path, text) of everything that is written"""
    for path in sorted(paths.ROOT.glob("*/__manifest__.py")):
        addon, manifest = path.parent, ast.literal_eval(path.read_text(encoding="utf-8"))
        if not (addon / "readme").is_dir():
            continue
        readme = _readme(manifest["name"], addon / "readme")
        yield addon / "README.rst", readme
        yield addon / "static" / "description" / "index.html", _page(manifest, readme)


def _readme(name, folder):
    parts = ["=" * len(name), name, "=" * len(name), "", WRITTEN, ""]
    for section, heading in SECTIONS.items():
        fragment = folder / f"{section}.rst"
        if fragment.exists():
            parts += [heading, "=" * len(heading), ""] if heading else []
            parts += [fragment.read_text(encoding="utf-8").strip(), ""]
    return "\n".join(parts)


def _page(manifest, readme):
    # Why here: only this script and scripts/check need it, and both run in the environment's Python.
    from docutils.core import publish_parts

    settings = {"initial_header_level": 3, "strip_comments": True, "report_level": 2, "halt_level": 2}
    body = publish_parts(readme, writer="html5", settings_overrides=settings)["fragment"]
    return PAGE.format(name=manifest["name"], summary=manifest["summary"], body=body.strip())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
