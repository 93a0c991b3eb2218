"""What the Demo Bank asks its users, apart from which accounts they mean."""

from .errors import _lt
from .types import Challenge, Field

LOGIN = Challenge(
    title=_lt("Sign in"),
    message=_lt("Enter the user name and the password that you use for online banking."),
    hint=_lt("This is a demonstration: the user name is “demo”, the password is “demo”."),
    fields=(Field("user", _lt("User name")), Field("password", _lt("Password"), type="password")),
    submit=_lt("Sign in"),
    data={"step": "login"},
)
CODE = Challenge(
    title=_lt("Confirm with a code"),
    kind="code",
    message=_lt("The bank has sent a code to your mobile phone."),
    hint=_lt("This is a demonstration: nothing was sent, the code is 123456."),
    fields=(Field("code", _lt("Code"), type="code", help=_lt("Six digits")),),
    submit=_lt("Confirm"),
)
ANOTHER_USER = _lt(
    "This connection was made with another user name. Sign in with that one, or go back and connect this user as a new "
    "bank connection."
)
APPROVAL = Challenge(
    title=_lt("Approve in your app"),
    kind="approval",
    message=_lt("The bank has sent a request to the app on your phone. Open the app and approve it there."),
    hint=_lt(
        "This is a demonstration: nothing was sent, and the request approves itself after ten seconds; for the user "
        "“slow” nobody approves."
    ),
    submit=_lt("I have approved"),
    poll_seconds=3,
)
TOO_LATE = Challenge(
    title=_lt("Nobody has approved"),
    kind="choice",
    error=_lt("The bank waited for a minute and then withdrew the request. Nothing was changed."),
    message=_lt("Have your phone ready, then ask the bank for a new request."),
    submit=_lt("Send a new request"),
)
WRONG_USER = Challenge(
    title=_lt("Another user has signed in"),
    kind="choice",
    message=ANOTHER_USER,
    submit=_lt("Go to the bank again"),
    data={"step": "bank"},
)
RECONFIRM = Challenge(
    title=_lt("Confirm your consent"),
    kind="reconfirm",
    message=_lt(
        "Your consent at the bank has no end. Every 90 days you confirm here that it goes on: your books keep reading "
        "the balances and transactions of the accounts that you have selected. Nothing can be paid with it, and the "
        "bank asks you nothing."
    ),
    submit=_lt("Confirm the consent"),
    data={"step": "reconfirm"},
)
REFUSED = Challenge(
    title=_lt("You have refused at the bank"),
    kind="choice",
    message=_lt(
        "The bank reports that access was refused on its page, so nothing was connected. If that was not intended, "
        "go there again."
    ),
    submit=_lt("Go to the bank again"),
    data={"step": "bank"},
)
