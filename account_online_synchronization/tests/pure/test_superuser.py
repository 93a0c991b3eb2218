"""Superuser rights: each place that takes them says which check comes before."""

import ast
import re
from pathlib import Path

import pytest

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
ADDONS = [name for name in NAMES if (ROOT / name).exists()]

#: ``# sudo: who has checked what, and where``, on the line or in the comment directly above it.
REASON = re.compile(r"#\s*sudo: (?P<reason>\S.{14,})")
RISING = ("sudo", "as_server")


def takes_superuser_rights(node):
    """Whether a node of Python's syntax tree switches to superuser rights."""
    if isinstance(node, ast.keyword):
        is_true = isinstance(node.value, ast.Constant) and node.value.value is True
        return is_true and node.arg in ("su", "compute_sudo", "related_sudo")
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "attr", getattr(node.func, "id", None))
    names_superuser = any(
        isinstance(part, ast.Name | ast.Attribute) and getattr(part, "id", getattr(part, "attr", "")) == "SUPERUSER_ID"
        for argument in [*node.args, *(keyword.value for keyword in node.keywords)]
        for part in ast.walk(argument)
    )
    return name in RISING or names_superuser


def line_of(node):
    """The line of the very word: a chain of calls begins lines before."""
    called = getattr(node, "func", None)
    return called.end_lineno if called is not None else node.value.lineno


def unexplained(source):
    """:return: numbers of the lines that take superuser rights and don't say after which check"""
    lines = source.splitlines()
    tree = ast.parse(source)
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    found = []
    for node in ast.walk(tree):
        if not takes_superuser_rights(node):
            continue
        number = line_of(node)
        around = [one for one in statements if one.lineno <= number <= one.end_lineno]
        start = max(one.lineno for one in around)
        if not (has_reason(lines, number) or has_reason(lines, start)):
            found.append(number)
    return sorted(set(found))


def has_reason(lines, number):
    if REASON.search(lines[number - 1]):
        return True
    above = number - 2
    while above >= 0 and lines[above].lstrip().startswith("#"):
        if REASON.search(lines[above]):
            return True
        above -= 1
    return False


def sources():
    for addon in ADDONS:
        for path in sorted((ROOT / addon).rglob("*.py")):
            if "tests" not in path.relative_to(ROOT).parts:
                yield path


@pytest.mark.parametrize("path", list(sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_superuser_rights_are_explained_where_they_are_taken(path):
    source = path.read_text()
    assert [f"{path.relative_to(ROOT)}:{number}" for number in unexplained(source)] == []


@pytest.mark.parametrize("addon", ADDONS)
def test_superuser_rights_are_taken_in_no_template_or_server_action(addon):
    taken = [path.name for path in (ROOT / addon).rglob("*.xml") if re.search(r"sudo\(|SUPERUSER", path.read_text())]
    assert taken == []


@pytest.mark.parametrize(
    "code",
    [
        "self.sudo().write({})",
        "as_server(self).write({})",
        "self.with_user(SUPERUSER_ID)",
        "self.with_user(odoo.SUPERUSER_ID)",
        "api.Environment(cr, SUPERUSER_ID, {})",
        "request.update_env(user=SUPERUSER_ID)",
        "self.env(su=True)",
        "name = fields.Char(compute='x', compute_sudo=True)",
        "# Why: something else.\nself.sudo()",
        "# sudo: ok\nself.sudo()",
        "# sudo: the reason of something further above\n\nself.sudo()",
    ],
)
def test_superuser_rights_without_a_reason_are_found(code):
    assert unexplained(code)


@pytest.mark.parametrize(
    "code",
    [
        "# sudo: read access was checked by the caller\nself.sudo()",
        "self.sudo()  # sudo: read access was checked by the caller",
        "# sudo: read access was checked by the caller\n# and this is more of it\nx = (\n    self\n    .sudo()\n)",
        "self.env(su=False)\nsudo = 1",
    ],
)
def test_superuser_rights_with_a_reason_are_accepted(code):
    assert not unexplained(code)
