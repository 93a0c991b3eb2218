"""A stamp says that a step is complete, and from which inputs: a hash, written last."""

import hashlib
import json
import os

from . import paths


def digest(*inputs):
    """Hash of values and of files (given as paths), in this order."""
    total = hashlib.sha256()
    for value in inputs:
        data = value.read_bytes() if hasattr(value, "read_bytes") else json.dumps(value, sort_keys=True).encode()
        total.update(b"%d:" % len(data) + data)
    return total.hexdigest()


def read(name):
    try:
        return json.loads((paths.STAMPS / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def is_current(name, hashed):
    return read(name).get("inputs") == hashed


def write(name, hashed, **facts):
    # Why rename: a half-written stamp must not exist, not even for a moment.
    temporary = paths.STAMPS / f".{name}.{os.getpid()}"
    temporary.write_text(json.dumps({"inputs": hashed, **facts}, indent=2) + "\n", encoding="utf-8")
    temporary.replace(paths.STAMPS / name)


def remove(name):
    (paths.STAMPS / name).unlink(missing_ok=True)
