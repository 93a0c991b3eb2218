from . import connect, institutions
