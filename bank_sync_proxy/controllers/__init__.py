from . import api, callbacks, connect, institutions, sandbox_bank
