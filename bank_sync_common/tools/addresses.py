"""Distinguishes public addresses of the internet from those of private networks. Imports no Odoo.

A user who enters an address could give one of the server's private network, or a name that resolves to one: server-side
request forgery.
"""

import ipaddress

#: The part of IPv6 that IANA allocates; everything else is reserved, local, or embeds an IPv4 address.
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
#: Special-purpose by IANA's registries, but global in older versions of Python.
SPECIAL = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")))
NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(address):
    """
    :param str address: an IP address
    :return: whether it is public, and embeds no address of another network
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
