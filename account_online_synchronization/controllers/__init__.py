from . import events, main, renewal
