"""What a German bank's users are asked."""

from .errors import _lt
from .types import Challenge, Field

LOGIN = Challenge(
    title=_lt("Sign in at your bank"),
    message=_lt(
        "German banks are reached directly, by FinTS. Bank code and FinTS address are on your bank's website or in "
        "its online banking, often under “FinTS”, “HBCI” or “financial software”."
    ),
    fields=(
        Field("bank_code", _lt("Bank code"), help=_lt("Eight digits (Bankleitzahl); they are part of your IBAN.")),
        Field("url", _lt("FinTS address"), help=_lt("It begins with https://")),
        Field("user", _lt("User name"), help=_lt("As in the bank's online banking: login name or user ID.")),
        Field("customer", _lt("Customer ID, if your bank gave you one"), required=False),
        Field("pin", _lt("PIN"), type="password", help=_lt("The one of your online banking.")),
    ),
    submit=_lt("Sign in"),
    data={"step": "login"},
)
#: For a connection that exists: the same bank, the same user.
NEW_PIN = Challenge(
    title=_lt("Sign in at your bank again"),
    message=_lt("Enter the PIN of your online banking, also if it has not changed. Your accounts and journals stay."),
    fields=(Field("pin", _lt("PIN"), type="password"),),
    submit=_lt("Sign in"),
    data={"step": "login"},
)
WRONG_PIN = _lt(
    "The bank does not accept this user name or PIN. Check both on the bank's own website: after three wrong PINs the "
    "bank locks your access."
)
LOCKED = _lt("The bank has locked this access. Unlock it on the bank's own website, then try again here.")
NO_BANK_CODE = _lt("The bank code has eight digits, for example 10020030.")
NO_ADDRESS = _lt("This is not a FinTS address: it must begin with https:// and lead to a server of your bank.")
NO_FINTS = _lt("There is no FinTS server at this address. Compare it with the bank's website.")
NO_PIN = _lt("Enter your PIN.")
NO_USER = _lt("Enter your user name.")

METHOD = Challenge(
    title=_lt("How do you approve?"),
    kind="choice",
    message=_lt("Choose how you confirm what you do at your bank. It is asked for now, and every few months again."),
    data={"step": "method"},
)
METHOD_LABEL = _lt("TAN method")
MEDIUM = Challenge(
    title=_lt("On which device?"),
    kind="choice",
    message=_lt("Choose the device that gets the request."),
    data={"step": "medium"},
)
MEDIUM_LABEL = _lt("Device")

TAN = Challenge(
    title=_lt("Enter the TAN"),
    kind="code",
    message=_lt("The bank requires a TAN before it answers. It is used for reading only: no money is moved."),
    submit=_lt("Confirm"),
)
TAN_LABEL = _lt("TAN")
PICTURE_LABEL = _lt("Picture to scan with your device")
#: Why no flickering picture: few devices still need it, and each of them takes the start code, too.
FLICKER = _lt(
    "If your TAN generator reads a flickering picture, choose its manual entry and type the start code and the numbers "
    "from the bank's text."
)
WRONG_TAN = _lt("The bank did not accept this TAN. It has sent a new request: use the newest TAN.")
NO_TAN = _lt("Enter the TAN.")
APPROVAL = Challenge(
    title=_lt("Approve in your banking app"),
    kind="approval",
    message=_lt("The bank has sent a request to the app on your phone. Open the app and approve it there."),
    submit=_lt("I have approved"),
)
TOO_LATE = Challenge(
    title=_lt("Nobody has approved"),
    kind="choice",
    message=_lt(
        "The bank is no longer waiting. Nothing was changed. Have your device ready, then ask for a new request."
    ),
    submit=_lt("Send a new request"),
)
