import base64
import json
import ssl
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from bank_sync_proxy.providers.auth import (
    Basic,
    Bearer,
    ClientCertificate,
    RequestSignature,
    SignedToken,
    Token,
    load_rsa_key,
    restore_pem,
    sign_sha256,
    verify_sha256,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key, password=None):
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption).decode()


def prepared(auth, method="POST", url="https://bank.example/x?a=1", **options):
    return requests.Request(method, url, auth=auth, **options).prepare()


def decode(segment):
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


# -------------------------------------------------------------------------
# KEYS
# -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text,
        lambda text: text.replace("\n", " "),
        lambda text: text.replace("\n", "\\n"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: f"  {text}  ",
    ],
    ids=["as-it-is", "one-line", "escaped", "windows", "blanks"],
)
def test_a_key_survives_being_pasted(spoil):
    assert load_rsa_key(spoil(pem(KEY))).private_numbers() == KEY.private_numbers()


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "no PEM text"),
        ("nonsense", "no PEM text"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "no private key"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "no RSA key"),
        (pem(KEY, b"x"), "password"),
    ],
    ids=["empty", "nonsense", "broken", "elliptic", "password"],
)
def test_a_key_that_is_none_says_why(text, words):
    with pytest.raises(ValueError, match=words):
        load_rsa_key(text)


def test_several_pem_blocks_stay_several():
    text = f"{pem(KEY)}\nsomething between\n{pem(KEY)}"
    assert restore_pem(text).count(b"-----BEGIN PRIVATE KEY-----") == 2


# -------------------------------------------------------------------------
# TOKENS
# -------------------------------------------------------------------------


class Issuer:
    """Gives token after token, and keeps a diary."""

    def __init__(self, seconds=600):
        self.now, self.seconds, self.diary = NOW, seconds, []

    def obtain(self, old):
        number = len(self.diary)
        self.diary.append(f"obtain with {old and old.refresh_value}")
        return Token(f"access-{number}", self.now + timedelta(seconds=self.seconds), f"refresh-{number}")

    def keep(self, token):
        self.diary.append(f"keep {token.refresh_value}")

    def bearer(self, **options):
        return Bearer(self.obtain, lambda: self.now, **options)


def test_a_token_is_obtained_once_and_used_until_shortly_before_its_end():
    issuer = Issuer()
    bearer = issuer.bearer()
    assert {prepared(bearer).headers["Authorization"] for _time in range(3)} == {"Bearer access-0"}
    issuer.now += timedelta(seconds=541)
    assert prepared(bearer).headers["Authorization"] == "Bearer access-1"
    assert issuer.diary == ["obtain with None", "obtain with refresh-0"]


def test_a_stored_token_is_used_and_its_refresh_token_gives_the_next_one():
    issuer = Issuer()
    bearer = issuer.bearer(token=Token("stored", NOW + timedelta(hours=1), "refresh-stored"))
    assert prepared(bearer).headers["Authorization"] == "Bearer stored"
    issuer.now += timedelta(hours=1)
    prepared(bearer)
    assert issuer.diary == ["obtain with refresh-stored"]


def test_a_new_token_is_kept_before_it_is_used():
    issuer = Issuer()
    request = prepared(issuer.bearer(keep=issuer.keep))
    assert (
        issuer.diary == ["obtain with None", "keep refresh-0"] and request.headers["Authorization"] == "Bearer access-0"
    )


def test_a_new_token_that_can_t_be_kept_is_not_used():
    issuer = Issuer()

    def fail(_token):
        raise RuntimeError("the database is gone")

    bearer = issuer.bearer(keep=fail)
    for _time in range(2):
        with pytest.raises(RuntimeError):
            prepared(bearer)
    assert bearer._token is None


def test_the_answer_of_oauth():
    token = Token.from_answer({"access_token": "a", "expires_in": "60", "refresh_token": "r"}, NOW)
    assert (token.value, token.expires_at, token.refresh_value) == ("a", NOW + timedelta(minutes=1), "r")
    assert Token.from_answer({"access_token": "a"}, NOW).expires_at is None
    assert "r" not in repr(Token("s3cret", None, "s3cret")).replace("refresh", "").replace("Token", "").replace(
        "expires", ""
    )
    with pytest.raises(KeyError):
        Token.from_answer({}, NOW)


def test_a_token_that_we_sign():
    moments = [NOW]
    auth = SignedToken(KEY, "kid-1", {"iss": "us"}, lambda: moments[-1])
    first = prepared(auth).headers["Authorization"]
    header, claims, signature = first.removeprefix("Bearer ").split(".")
    KEY.public_key().verify(decode(signature), f"{header}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
    assert json.loads(decode(header)) == {"typ": "JWT", "alg": "RS256", "kid": "kid-1"}
    issued = int(NOW.timestamp())
    assert json.loads(decode(claims)) == {"iss": "us", "iat": issued, "exp": issued + 3600}
    assert "=" not in first and prepared(auth).headers["Authorization"] == first
    moments.append(NOW + timedelta(hours=1))
    assert prepared(auth).headers["Authorization"] != first


def test_basic_is_utf_8():
    assert base64.b64decode(prepared(Basic("ü", "pä")).headers["Authorization"][6:]).decode() == "ü:pä"


def test_a_signed_request():
    auth = RequestSignature(KEY, lambda: NOW, {"App-id": "app"})
    request = prepared(auth, json={"data": "é"})
    expiry = str(int(NOW.timestamp()) + 60)
    assert request.headers["App-id"] == "app" and request.headers["Expires-at"] == expiry
    signature = base64.b64decode(request.headers["Signature"])
    signed = f"{expiry}|POST|https://bank.example/x?a=1|".encode() + request.body
    KEY.public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(InvalidSignature):
        KEY.public_key().verify(signature, signed + b" ", padding.PKCS1v15(), hashes.SHA256())
    assert prepared(auth, "GET").headers["Signature"] != request.headers["Signature"]


def public_pem(key):
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def test_what_others_have_signed():
    public, other = public_pem(KEY), public_pem(ec.generate_private_key(ec.SECP256R1()))
    signature = sign_sha256(KEY, b"message")
    verify_sha256(public.replace("\n", " "), b"message", signature)
    for key, message, signed in (
        (public, b"message ", signature),
        (public, b"message", signature[:-1] + bytes([signature[-1] ^ 1])),
        (public, b"message", b""),
        (other, b"message", signature),
        ("-----BEGIN PUBLIC KEY-----AAAA-----END PUBLIC KEY-----", b"message", signature),
        ("", b"message", signature),
    ):
        with pytest.raises(ValueError):
            verify_sha256(key, message, signed)


# -------------------------------------------------------------------------
# MUTUAL TLS
# -------------------------------------------------------------------------


def certificate(key, name, issuer=None, issuer_key=None):
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(timezone.utc) - timedelta(days=1))
        .not_valid_after(datetime.now(timezone.utc) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    return builder.sign(issuer_key or key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture
def bank(tmp_path):
    """A server that answers only clients with a certificate. :return: (URL, its certificate)"""
    ours, theirs = certificate(KEY, "localhost"), tmp_path / "server.pem"
    theirs.write_text(ours + pem(KEY))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(theirs)
    context.load_verify_locations(cadata=ours)
    context.verify_mode = ssl.CERT_REQUIRED

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            name = dict(part[0] for part in self.connection.getpeercert()["subject"])["commonName"].encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(name)))
            self.end_headers()
            self.wfile.write(name)

        def log_message(self, *args):
            pass

    class Server(HTTPServer):
        def handle_error(self, *args):
            pass

    server = Server(("localhost", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"https://localhost:{server.server_port}/", ours
    server.shutdown()
    server.server_close()


def client_pem():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    return certificate(key, "client", issuer, KEY), pem(key)


def ask(url, adapter):
    with requests.Session() as session:
        if adapter:
            session.mount("https://", adapter)
        return session.get(url, timeout=5, verify=True).text


def test_a_client_certificate_opens_the_door(bank):
    url, authority = bank
    cert, key = client_pem()
    assert ask(url, ClientCertificate(cert.replace("\n", " "), key, authority)) == "client"


def test_without_a_certificate_the_door_stays_closed(bank, tmp_path):
    url, authority = bank
    (tmp_path / "authority.pem").write_text(authority)
    with pytest.raises(requests.RequestException):
        requests.get(url, timeout=5, verify=str(tmp_path / "authority.pem"))


def test_server_with_an_untrusted_certificate_is_refused(bank):
    url, _authority = bank
    with pytest.raises(requests.exceptions.SSLError):
        ask(url, ClientCertificate(*client_pem()))


def test_a_client_certificate_leaves_no_file(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ClientCertificate(*client_pem())
    with pytest.raises(ValueError):
        ClientCertificate("nothing", "nothing")
    assert not list(tmp_path.iterdir())
