"""Which private names of other people's code the addons use: read from the source, so that none is overlooked."""

import ast
from collections import Counter, defaultdict
from functools import cache
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[3]
#: Public in spite of their underscore: documented by Python or Odoo.
PUBLIC = {"_", "_asdict", "_replace"}


def addons():
    return sorted(manifest.parent for manifest in ROOT.glob("*/__manifest__.py"))


def sources(suffix):
    for addon in addons():
        for path in sorted(addon.rglob(f"*{suffix}")):
            if not {"tests", "migrations"} & set(path.relative_to(ROOT).parts):
                yield path


@cache
def private_names():
    """:return: dict from the name to the files that use it

    A name is foreign when none of our files defines it, or when the only method of that name extends another.
    """
    nodes = {path: list(ast.walk(ast.parse(path.read_text(encoding="utf-8")))) for path in sources(".py")}
    defined, methods, found = set(), Counter(), defaultdict(set)
    for node in chain.from_iterable(nodes.values()):
        if isinstance(node, ast.FunctionDef):
            methods[node.name] += 1
        elif isinstance(node, ast.ClassDef):
            defined.add(node.name)
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            defined.add(node.id if isinstance(node, ast.Name) else node.attr)
    own = tuple(f"odoo.addons.{addon.name}." for addon in addons())
    for path in nodes:
        for node in nodes[path]:
            module = getattr(node, "module", None) or ""
            if isinstance(node, ast.ImportFrom) and module.startswith("odoo") and not module.startswith(own):
                names = [alias.name for alias in node.names if alias.name.startswith("_")]
                for name in set(names) - PUBLIC:
                    found[name].add(str(path.relative_to(ROOT)))
            if not isinstance(node, ast.Attribute) or not node.attr.startswith("_") or node.attr.startswith("__"):
                continue
            is_extended = isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "super"
            ours = methods[node.attr] > 1 if is_extended else node.attr in defined or node.attr in methods
            if not ours and node.attr not in PUBLIC:
                found[node.attr].add(str(path.relative_to(ROOT)))
    return found
