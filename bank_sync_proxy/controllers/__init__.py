from . import api, callbacks, connect, sandbox_bank
