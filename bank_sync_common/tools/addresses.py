"""Which addresses are of the internet, and which lead into a network of one's own. Imports no Odoo.

Whoever may enter an address could name one inside the server's own network, or a name that leads there: server-side
request forgery.
"""

import ipaddress

#: What IANA gives out of IPv6; all else is reserved, local, or carries an IPv4 address.
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
#: Special by IANA's registries, and global in the lists of older versions of Python.
SPECIAL = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")))
NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(address):
    """
    :param str address: an IP address
    :return: whether it is one of the internet, and carries none of another network inside
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if parsed.version == 6:
        if parsed.ipv4_mapped:
            return is_public(str(parsed.ipv4_mapped))
        if parsed in NAT64:
            return is_public(str(ipaddress.ip_address(int(parsed) & 0xFFFFFFFF)))
        inside = filter(None, (parsed.sixtofour, *(parsed.teredo or ())))
        if parsed not in GLOBAL_UNICAST or not all(is_public(str(address)) for address in inside):
            return False
    return parsed.is_global and not parsed.is_multicast and not any(parsed in network for network in SPECIAL)
