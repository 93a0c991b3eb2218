"""Log lines as JSON, one object a line, for programs that collect logs. Imports no Odoo.

``bank_sync_log_format = json`` in odoo.conf switches it on. Only the names below are ever written, so nothing that code
attaches to a log record (``extra``) gets into a log by accident. That is why no ready-made formatter is used: those
write all attributes that they do not know.
"""

import contextvars
import json
import logging
import logging.handlers
from contextlib import contextmanager
from datetime import datetime, timezone

OPTION, JSON = "bank_sync_log_format", "json"
#: What a line may contain about the current request: the reference that the user is shown, the client's number, the
#: operation; the last line of a request also has its outcome and milliseconds.
ABOUT = ("reference", "client", "operation", "outcome", "milliseconds")
MAX_LENGTH = 100

_about = contextvars.ContextVar("bank_sync_about", default=None)


@contextmanager
def about(**values):
    """All lines that are logged within say what they are about.

    :param values: of :data:`ABOUT`
    """
    token = _about.set({**(_about.get() or {}), **values})
    try:
        yield
    finally:
        _about.reset(token)


class JsonFormatter(logging.Formatter):
    """Writes a log record as one line of JSON."""

    def format(self, record):
        line = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            # Why not levelname: Odoo's formatter for terminals puts colors in it.
            "level": logging.getLevelName(record.levelno),
            "logger": record.name,
            "process": record.process,
            "database": getattr(record, "dbname", None),
            "message": record.getMessage(),
        }
        known = _about.get() or {}
        for name in ABOUT:
            value = getattr(record, name, known.get(name))
            if isinstance(value, str | int):
                line[name] = value[:MAX_LENGTH] if isinstance(value, str) else value
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            line["exception"] = record.exc_text
        if record.stack_info:
            line["stack"] = self.formatStack(record.stack_info)
        return json.dumps({name: value for name, value in line.items() if value is not None}, ensure_ascii=False)


def write_json(logger=None):
    """Let everything that goes to a stream or file be JSON from now on; Odoo's log in the database stays as it is.

    :param logger: whose handlers are meant; None for those of all loggers
    """
    for handler in (logger or logging.getLogger()).handlers:
        if isinstance(handler, logging.StreamHandler | logging.handlers.SysLogHandler):
            handler.setFormatter(JsonFormatter())
