"""The library ``fints`` as this proxy uses it; imported for the first request to a bank, because it is optional.

What is different here: messages travel through our own funnel (https, verified certificates, time-outs, limits, no
content in the log); the bank's return codes are checked after every message, because the library ignores most of them
and a refused request would look like an empty account; and a paused dialog is stored as JSON.
"""

import base64
import warnings
from contextlib import contextmanager, suppress

from fints.client import IMPLEMENTED_HKTAN_VERSIONS, FinTS3PinTanClient, NeedRetryResponse, NeedTANResponse
from fints.exceptions import FinTSError
from fints.formals import AllowedFormat, SupportedMessageTypes
from fints.message import FinTSInstituteMessage, MessageDirection
from fints.models import SEPAAccount
from fints.parser import FinTSParserWarning
from fints.segments.dialog import HIRMG2, HIRMS2
from fints.segments.statement import HKCAZ1, HKKAZ5, HKKAZ6, HKKAZ7

from . import reading
from .auth import Headers
from .errors import ProviderError, _lt

# It would quote what a bank has said.
warnings.filterwarnings("ignore", category=FinTSParserWarning)

ONE_STEP = "999"
PIN_CODES = ("9942", "9910", "9340")
LOCK_CODES = ("3938", "9931", "9930")
#: The TAN is wrong, was used before, or came too late.
TAN_CODES = ("9941", "9943", "9951", "9991")
#: The first one that an answer contains counts; each comes with others that say less. Bank-independent list:
#: https://www.fints.org/de/spezifikation (Rückmeldungscodes)
CODES = {
    **dict.fromkeys((*LOCK_CODES, *PIN_CODES), "credentials_rejected"),
    **dict.fromkeys(TAN_CODES, "challenge_required"),
    "9075": "challenge_required",
    # This product is not registered.
    "9078": "provider_not_configured",
    "9010": "institution_unavailable",
}
#: "Partly wrong", "dialogue ended": what was wrong is given beside them.
VAGUE_CODES = ("9050", "9800")
LOCKED = _lt("The bank has locked this access. Unlock it on the bank's own website first.")
METHOD_GONE = _lt("The bank no longer offers the TAN method that was chosen. Reconnect and choose another one.")
#: As a message begins.
HEAD = b"HNHBK:1:3+"


class Connection:
    """What the library sends messages through, instead of its own, which has no time-outs and logs what it sends.

    Its own also hides PINs from the log by a switch that all threads share: a message that another thread writes in
    that moment goes out with ``***`` as its PIN, and the third of these locks the account.
    """

    def __init__(self, adapter, url):
        self.adapter, self.url = adapter, url
        self.http = adapter.connect(Headers({"Content-Type": "text/plain"}), url)
        self.answer = None

    def send(self, message):
        """:return: the bank's answer; never requested twice, because banks count PINs, and messages have numbers"""
        content = base64.b64encode(message.render_bytes())
        self.answer = self.http.ask("POST", self.url, form=content, kind="text", idempotent=False)
        content = b"".join(self.answer.content.split())
        with self.adapter.reading("message"):
            if content.startswith(base64.b64encode(HEAD)[:12]):
                # As much as there is of it; its head says how much that should be.
                content = base64.b64decode(content[: len(content) // 4 * 4], validate=True)
                if len(content) < int(content[len(HEAD) :][:12]):
                    raise self.adapter.failure("provider_unavailable", "the answer was cut off", self.answer)
                return FinTSInstituteMessage(segments=content)
        raise self.adapter.failure("unexpected_answer", "no message of FinTS", self.answer)


class Client(FinTS3PinTanClient):
    """
    :param adapter: :class:`~.fints.FinTS`
    :param dict access: ``bank_code``, ``url``, ``user``, ``customer``, ``pin``, and what :meth:`keep` has given
    """

    def __init__(self, adapter, access):
        super().__init__(
            access["bank_code"],
            access["user"],
            access["pin"],
            access["url"],
            customer_id=access["customer"] or None,
            product_id=adapter.settings["product_id"],
            system_id=access.get("system_id"),
            from_data=base64.b64decode(access.get("client", "")),
        )
        self.adapter = adapter
        self.connection = Connection(adapter, access["url"])

    def keep(self):
        """:return: what the next object has to know: what the bank has said about itself and about the user; JSON"""
        blob = self.deconstruct(including_private=True)
        return {"system_id": self.system_id, "client": base64.b64encode(blob).decode()}

    def _log_response(self, segment, response):
        """Log nothing: a bank's messages may contain personal data."""

    # -------------------------------------------------------------------------
    # DIALOGS
    # -------------------------------------------------------------------------

    @contextmanager
    def dialog(self, paused=None):
        """Inside, the bank is asked; ``init_tan_response`` is what it asks first, or None.

        :param dict paused: what :meth:`pause` gave
        """
        self.init_tan_response = None
        dialog = self._new_dialog()
        if paused:
            number = MessageDirection
            dialog.dialog_id, dialog.open, dialog.need_init = paused["dialog"], True, False
            dialog.next_message_number = dict(
                zip((number.FROM_CUSTOMER, number.FROM_INSTITUTE), paused["numbers"], strict=True)
            )
        self._standing_dialog = dialog
        try:
            with self.translating(), dialog:
                try:
                    yield
                except BaseException:
                    # It ends on its own; what has failed once would only fail again.
                    dialog.open = False
                    raise
                self._say_goodbye(dialog)
        finally:
            self._standing_dialog = None

    def _say_goodbye(self, dialog):
        if not dialog.paused:
            # All that was wanted is there.
            with suppress(FinTSError, ProviderError, ValueError, LookupError, TypeError, AttributeError):
                dialog.end()
            dialog.open = False

    def pause(self, asked):
        """Leave the dialog open until the user has answered.

        Why not the library's own ``pause_dialog``: its bytes are a pickle of all messages, PIN included, and reading a
        pickle executes it. What has to be known are three numbers.

        :param asked: NeedTANResponse
        :return: JSON
        """
        dialog = self._standing_dialog
        dialog.paused = True
        numbers = dialog.next_message_number
        return {
            "dialog": dialog.dialog_id,
            "numbers": [numbers[MessageDirection.FROM_CUSTOMER], numbers[MessageDirection.FROM_INSTITUTE]],
            "asked": base64.b64encode(asked.get_data()).decode(),
            # The library's own data forgets it.
            "decoupled": asked.decoupled,
        }

    def asked(self, paused):
        """:return: the NeedTANResponse that :meth:`pause` was given"""
        with self.translating():
            asked = NeedRetryResponse.from_data(base64.b64decode(paused["asked"]))
            asked.decoupled = paused["decoupled"]
            return asked

    @contextmanager
    def translating(self):
        """Inside, what the library raises becomes one of our errors."""
        try:
            with self.adapter.reading("dialog"):
                yield
        except FinTSError as error:
            cause = error
            while cause and not isinstance(cause, ProviderError):
                cause = cause.__cause__
            raise cause or self.adapter.failure("unexpected_answer", type(error).__name__) from error

    # -------------------------------------------------------------------------
    # RETURN CODES
    # -------------------------------------------------------------------------

    def process_response_message(self, dialog, message, internal_send=True):
        answers = [
            answer for kind in (HIRMG2, HIRMS2) for part in message.find_segments(kind) for answer in part.responses
        ]
        self._check(answers, {answer.code: answer.text for answer in answers})
        return super().process_response_message(dialog, message, internal_send=internal_send)

    def _check(self, answers, words):
        """
        :param dict words: what the bank says, by code
        :raise ProviderError: where it has refused
        """
        methods = next((answer.parameters for answer in answers if answer.code == "3920"), None)
        chosen = self.selected_security_function
        if methods and chosen == ONE_STEP and not {*words} & {*PIN_CODES, *LOCK_CODES}:
            # The first request may fail: it was sent because its answer contains the methods.
            return
        if methods and self._standing_dialog and chosen not in (None, *methods):
            raise self.adapter.failure("consent_revoked", f"{chosen} is not in {methods}", note=METHOD_GONE)
        refused = sorted((code for code in words if code[:1] == "9"), key=VAGUE_CODES.__contains__)
        code = next((code for code in CODES if code in words), None) or next(iter(refused), None)
        if code is None:
            return
        ours = CODES.get(code, "unexpected_answer")
        if ours == "credentials_rejected":
            self.pin.block()
        detail = reading.words(words[code]) or ""
        if ours == "provider_not_configured":
            detail += self.adapter._skew(self.connection.answer)
        note = LOCKED if code in LOCK_CODES else None
        raise self.adapter.failure(ours, detail, self.connection.answer, provider_code=code, note=note)

    # -------------------------------------------------------------------------
    # METHODS OF SIGNING
    # -------------------------------------------------------------------------

    def methods(self):
        """:return: what the library calls TwoStepParameters, of the methods that it and the user's contract know"""
        with self.translating():
            self.fetch_tan_mechanisms()
            return [method for method in self.get_tan_mechanisms().values() if self._is_usable(method)]

    def _is_usable(self, method):
        return (
            method.security_function != ONE_STEP
            and method.tan_process == "2"
            and method.VERSION in IMPLEMENTED_HKTAN_VERSIONS
        )

    @property
    def method(self):
        """The chosen method, None for a bank without any."""
        return self.get_tan_mechanisms().get(self.selected_security_function)

    def media(self):
        """:return: names of the user's devices for the chosen method; empty where the bank does not want to know"""
        with self.translating():
            if not self.method or not self.is_tan_media_required() or not self.bpd.find_segment_first("HITABS"):
                return []
            _usage, media = self.get_tan_media() or (None, [])
            return [name for name in (medium.tan_medium_name for medium in media) if name]

    def takes_digits(self):
        return self.method and self.method.allowed_format == AllowedFormat.NUMERIC

    # -------------------------------------------------------------------------
    # REQUESTS, INSIDE OF A DIALOG
    # -------------------------------------------------------------------------

    def may(self, iban, request):
        """Whether the bank allows a request, such as ``HKSAL``, for an account; if it lists none, it does."""
        parts = [part for part in self.upd.find_segments("HIUPD") if part.iban == iban]
        allowed = {item.transaction for part in parts for item in part.allowed_transactions or () if item}
        return not allowed or request in allowed

    def description(self, iban, subaccount=None):
        """:return: segment HIUPD of an account, or None"""
        parts = [part for part in self.upd.find_segments("HIUPD") if iban and part.iban == iban]
        own = [part for part in parts if (as_subaccount(part) or None) == (subaccount or None)]
        return next(iter(own or parts), None)

    def balance(self, account):
        """:return: Balance of the library ``mt940``, None where the bank gives none, or NeedTANResponse"""
        return self.get_balance(as_account(account)) if self.may(account["iban"], "HKSAL") else None

    def probe(self, account, day):
        """Request the transactions since a day only to learn whether the bank requires a TAN for that.

        :return: NeedTANResponse, or anything else
        """
        request = self._statement_request(account, day, None)
        return request and self._send_with_possible_retry(self._standing_dialog, request(None), self._discard)

    def _discard(self, request, answer):
        return None

    def statements(self, account, start, end):
        """
        :return: (whether it is CAMT, booked, pending): lists of XML documents as bytes, or of one text of MT940 each;
            or NeedTANResponse
        """
        request = self._statement_request(account, start, end)
        if request is None:
            raise self.adapter.failure("account_refused", "the bank gives no transactions of this account")
        is_camt = self._statement_command(account) is HKCAZ1
        found = self._fetch_with_touchdowns(self._standing_dialog, request, list, "HICAZ" if is_camt else "HIKAZ")
        if isinstance(found, NeedTANResponse):
            return found
        if is_camt:
            booked = [document for part in found for document in part.statement_booked.camt_statements if document]
            return True, booked, [part.statement_pending for part in found if part.statement_pending]
        # Banks cut it anywhere, so it is read in one piece.
        booked = b"".join(part.statement_booked or b"" for part in found)
        pending = b"".join(part.statement_pending or b"" for part in found)
        return False, [booked.decode("iso-8859-1")], [pending.decode("iso-8859-1")]

    def _statement_command(self, account):
        """CAMT before MT940: it has fields where the other has conventions."""
        for name, commands in (("HKCAZ", (HKCAZ1,)), ("HKKAZ", (HKKAZ5, HKKAZ6, HKKAZ7))):
            known = {command.VERSION: command for command in commands}
            offered = self.bpd.find_segment_highest_version(f"{name[0]}I{name[2:]}S", known.keys())
            if offered and self.may(account["iban"], name):
                return known[offered.header.version]
        return None

    def _statement_request(self, account, start, end):
        """:return: function that makes the segment, from what the bank calls a touchdown; None where there is none"""
        command = self._statement_command(account)
        if command is None:
            return None
        values = {
            "account": command._fields["account"].type.from_sepa_account(as_account(account)),
            "all_accounts": False,
            "date_start": start,
            "date_end": end,
        }
        if command is HKCAZ1:
            offered = self.bpd.find_segment_first("HICAZS").parameter.supported_camt_formats
            values["supported_camt_messages"] = SupportedMessageTypes([item for item in offered if "camt.052" in item])
        return lambda touchdown: command(touchdown_point=touchdown, **values)


def as_subaccount(description):
    """:return: the mark of an account under its number, or None"""
    return getattr(description.account_information, "subaccount_number", None)


def as_account(account):
    """:return: SEPAAccount of what a state keeps of an account"""
    return SEPAAccount(account["iban"], account["bic"], account["number"], account["subaccount"], account["bank_code"])
