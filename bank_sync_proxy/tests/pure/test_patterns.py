"""Every regular expression of the addons takes time in proportion to its text, whatever the text is.

An expression is found wherever it is written: a new one needs no line here.
"""

import ast
import importlib
import re
from pathlib import Path

import pytest

from bank_sync_proxy.providers import PROVIDERS, provider_class
from bank_sync_proxy.tests.pure.hostile_text import find_slow

ROOT = Path(__file__).parents[3]
NAMES = (
    "account_online_synchronization",
    "bank_sync_common",
    "bank_sync_proxy",
    "bank_sync_proxy_server",
    "account_online_reconcile",
    "bank_statement_formats",
    "account_online_files",
)
ADDONS = [addon for addon in NAMES if (ROOT / addon).exists()]
FUNCTIONS = {"compile", "sub", "subn", "match", "search", "fullmatch", "split", "findall", "finditer"}
#: Files that build expressions, and hold them at their top, where they are found.
BUILDERS = {"bank_sync_proxy/providers/masking.py"}
#: Matches values with what adapters declare: that is in no file's top, and is asked of the adapters.
DECLARED = {"bank_sync_proxy/providers/forms.py"}
#: Expressions that Odoo builds from the number formats of journals; they are not applied to untrusted text.
ODOO_BUILDS = {"account_online_synchronization/books/writer/numbers.py"}

#: Runs the expressions of users with limits of time and memory, which its own tests prove.
USERS_WRITE = {"account_online_reconcile/matching/expressions.py"}


def sources():
    for addon in ADDONS:
        for path in sorted((ROOT / addon).rglob("*.py")):
            if "tests" not in path.parts and "migrations" not in path.parts:
                yield path, str(path.relative_to(ROOT))


def calls(path):
    """Calls of functions of ``re`` whose first parameter is an expression."""
    source = path.read_text(encoding="utf-8")
    # Why first: most files have none, and each of pytest's workers parses them.
    for node in ast.walk(ast.parse(source)) if re.search(r"\bre\s*\.", source) else ():
        function = getattr(node, "func", None)
        if (
            isinstance(function, ast.Attribute)
            and isinstance(function.value, ast.Name)
            and function.value.id == "re"
            and function.attr in FUNCTIONS
        ):
            yield node


def written():
    """:return: dict from a place to the compiled expression; and the places whose expression is not a constant"""
    found, built = {}, []
    for path, name in sources():
        for node in calls(path):
            place = f"{name}:{node.lineno}"
            if not isinstance(node.args[0], ast.Constant):
                built.append(place)
                continue
            flags = [*node.args[1:], *(keyword.value for keyword in node.keywords)]
            flags = flags[-1] if node.func.attr == "compile" and flags else ast.Constant(0)
            found[place] = re.compile(node.args[0].value, eval(ast.unparse(flags), {"re": re}))
    for name in sorted(BUILDERS):
        module = importlib.import_module(name.removesuffix(".py").replace("/", "."))
        for index, pattern in enumerate(_patterns_in(vars(module).values())):
            found[f"{name}:{index}"] = pattern
    for code, _label, _name in PROVIDERS:
        for setting in provider_class(code).settings_needed:
            if setting.pattern:
                found[f"{code}.{setting.name}"] = re.compile(setting.pattern)
    return found, built


def _patterns_in(values):
    for value in values:
        if isinstance(value, re.Pattern):
            yield value
        elif isinstance(value, list | tuple):
            yield from _patterns_in(value)


WRITTEN, BUILT = written()


def test_no_file_has_another_name_for_re():
    """Or its expressions would not be found."""
    for path, name in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            if name in USERS_WRITE:
                continue
            assert "regex" not in names and getattr(node, "module", None) not in ("re", "regex"), name
            renamed = isinstance(node, ast.Import) and [
                alias for alias in node.names if alias.name == "re" and alias.asname
            ]
            assert not renamed, name


def test_expressions_that_are_built_are_known():
    assert {place.rpartition(":")[0] for place in BUILT} <= BUILDERS | DECLARED | ODOO_BUILDS


#: Equal expressions are tried once, however often they are written.
DIFFERENT = {pattern: place for place, pattern in reversed(WRITTEN.items())}


@pytest.mark.parametrize("pattern", DIFFERENT, ids=DIFFERENT.values())
def test_expression_is_linear(pattern):
    assert find_slow(pattern) is None, pattern.pattern


@pytest.mark.parametrize("pattern", [r"\beyJ[\w-]+\.", r"a\s*\s*b", r"x.*y", r"\"(?:(?!\\+\").)*", r"<[^>]*>"])
def test_hostile_texts_find_an_expression_that_is_not_linear(pattern):
    assert find_slow(re.compile(pattern), small=2048, negligible=0.0002)
