"""An Odoo shell that stays open between the scripts of a test."""

import json
import socket
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

from environment import odoo_command, process

LOOP = Path(__file__).parent / "shell_loop.py"


class OdooShell:
    """One process, started with the first script and again when its caches may be outdated."""

    def __init__(self):
        self.child = self.line = self.started_with = None

    def run(self, name, arguments, script):
        """:return: the value of the script's variable ``result``"""
        variables = odoo_command.environment()
        if self.line is None or self.started_with != (name, arguments, variables):
            self.close()
            self._start(name, arguments, variables)
        try:
            self.line.send(script)
            has_ended_well, answer = self.line.recv()
        except (EOFError, OSError):
            has_ended_well, answer = False, process.log_path(f"shell-{name}").read_text(encoding="utf-8")
        if not has_ended_well:
            self.close()
        assert has_ended_well, answer[-4000:]
        return json.loads(answer)

    def _start(self, name, arguments, variables):
        self.started_with = (name, arguments, variables)
        log_path = process.log_path(f"shell-{name}")
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
            address = f"{folder}/shell"
            listener.bind(address)
            listener.listen(1)
            with LOOP.open(encoding="utf-8") as loop, log_path.open("w", encoding="utf-8") as log:
                variables = {**variables, "BANK_SYNC_SHELL": address}
                command = odoo_command.line(*arguments)
                self.child = process.start(command, env=variables, stdin=loop, stdout=log, stderr=log)
            listener.settimeout(1)
            while self.line is None:
                try:
                    self.line = Connection(listener.accept()[0].detach())
                except TimeoutError:
                    assert self.child.poll() is None, log_path.read_text(encoding="utf-8")[-4000:]

    def close(self):
        """The next script gets a new process."""
        if self.line is not None:
            self.line.close()
            self.line = None
        if self.child is not None:
            process.stop(self.child)
            self.child = None
