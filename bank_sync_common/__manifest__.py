{
    "name": "Bank Synchronization: Common",
    "summary": "What databases and the proxy of bank synchronization share: signatures, encryption, bounded HTTP",
    "version": "19.0.1.0.0",
    "category": "Hidden/Tools",
    "author": "account_online_synchronization contributors",
    "maintainer": "account_online_synchronization contributors",
    "license": "LGPL-3",
    "development_status": "Alpha",
    "depends": ["base"],
    "external_dependencies": {
        "python": ["cryptography", "msgspec", "python-stdnum"],
        # Debian has python3-msgspec from version 13 on; before, it comes from PyPI.
        "apt": {
            "cryptography": "python3-cryptography",
            "msgspec": "python3-msgspec",
            "python-stdnum": "python3-stdnum",
        },
    },
}
