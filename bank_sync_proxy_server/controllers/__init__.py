from . import api, health, institutions
