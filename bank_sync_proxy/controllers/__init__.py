from . import api, connect
