from . import api, institutions
