from . import callbacks, connect, sandbox_bank
