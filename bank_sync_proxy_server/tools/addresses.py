"""Network addresses that are counted. Imports no Odoo."""

import ipaddress


def network_of(address):
    """What one party can easily change is one: an IPv4 address, or the /64 that each IPv6 host owns.

    :param str address: of a remote host, may be empty
    :return: text, such as ``203.0.113.7`` or ``2001:db8::/64``
    """
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
