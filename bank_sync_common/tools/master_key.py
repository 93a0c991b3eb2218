"""Where the master key of :mod:`.vault` comes from. Imports no Odoo."""

import base64
import os
import secrets
import shlex
import subprocess
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

#: Seconds within which a command must print the key.
COMMAND_SECONDS = 30


class KeyUnavailable(Exception):
    """The configured place holds no master key. The message never quotes a key."""


class MasterKeys(NamedTuple):
    """``current`` encrypts and decrypts; ``second``, if any, only decrypts, while the master key is being changed."""

    current: bytes
    second: bytes | None = None


def read_master_keys(options, path):
    """The master keys of a database.

    ``bank_sync_key`` and ``bank_sync_second_key`` are the key, or say where it is: ``env:NAME`` (environment),
    ``file:/path`` (such as a mounted secret) or ``command:program arguments`` (run without a shell; it prints the key).
    Without ``bank_sync_key`` the key is in a file that is created when it is first needed.

    :param options: mapping, Odoo's configuration
    :param path: path of that file
    :return: :class:`MasterKeys`
    :raise KeyUnavailable: with a sentence that names the option
    """
    configured = options.get("bank_sync_key")
    current = read_key("bank_sync_key", configured) if configured else read_or_create_master(path)
    second = options.get("bank_sync_second_key")
    return MasterKeys(current, read_key("bank_sync_second_key", second) if second else None)


def read_key(option, value):
    """
    :param str option: name of the option, for the sentence
    :param str value: its value, see :func:`read_master_keys`
    :return: bytes
    :raise KeyUnavailable:
    """
    scheme, _colon, rest = value.partition(":")
    try:
        if scheme == "env":
            return os.environ[rest].encode()
        if scheme == "file":
            # Why: editors and `echo` end a file with a line break that does not belong to the key.
            return Path(rest).read_bytes().rstrip(b"\r\n")
        if scheme == "command":
            return _printed_by(rest)
    except KeyError:
        reason = f"the environment has no {rest}"
    except OSError as error:
        reason = f"{error.filename} can't be opened ({error.strerror})"
    except subprocess.CalledProcessError as error:
        # Why without its output: it may contain a key.
        reason = f"the command ended with {error.returncode}"
    except subprocess.TimeoutExpired:
        reason = f"the command did not end within {COMMAND_SECONDS} seconds"
    except ValueError:
        # shlex, with a quotation mark too many
        reason = "the command can't be read"
    else:
        return value.encode()
    # Why no colon in the message: what follows the word key and a colon is masked as a secret.
    raise KeyUnavailable(f"{option} can't be read, because {reason}.")


@lru_cache(maxsize=4)
def _printed_by(command):
    """Cached in each process, so that reading a secret does not cost a request to a key server each time."""
    done = subprocess.run(
        shlex.split(command), stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_SECONDS, check=True
    )
    return done.stdout.rstrip(b"\r\n")


def read_or_create_master(path):
    """The master key in a file that only the server's user can read; created when first needed.

    :param path: path of the file, which need not exist yet
    :return: bytes
    """
    path = Path(path)
    with suppress(FileNotFoundError):
        return path.read_bytes()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Why a temporary file and a link: another worker must see either no file or the whole key; the first one wins.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.urlsafe_b64encode(secrets.token_bytes(48)))
        file.flush()
        os.fsync(file.fileno())
    try:
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    return path.read_bytes()
