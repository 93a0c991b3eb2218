"""A folder of the server and an SFTP server: what is read, what is not touched, and what is never accessible."""

import io
import logging
import os
import socket
import struct
import threading
from contextlib import suppress

import paramiko
import pytest

from odoo.addons.account_online_files.places import SFTP, Changed, Entry, Folder, PlaceError, is_partial
from odoo.addons.account_online_files.places import sftp as sftp_module
from odoo.addons.account_online_files.places.common import checked
from odoo.addons.account_online_files.tests.sftp_server import Door, SFTPServer

LIMIT = 1000
#: Seconds.
PATIENCE = 20


def put(folder, name, content=b"statement", modified=1_700_000_000):
    path = folder / name
    path.write_bytes(content)
    os.utime(path, (modified, modified))
    return path


@pytest.fixture
def root(tmp_path):
    """A folder below the root, next to a file that must not be read."""
    (tmp_path / "secret.xml").write_text("not yours")
    (tmp_path / "root" / "bank").mkdir(parents=True)
    return tmp_path / "root"


@pytest.fixture
def server(root):
    with SFTPServer(root / "bank") as one:
        yield one


@pytest.fixture(params=["folder", "sftp"])
def place(request, root):
    """The same files, once from the disk and once over SFTP."""
    if request.param == "folder":
        yield Folder(str(root), "bank")
    else:
        with SFTPServer(root / "bank") as server:
            yield sftp(server)


def sftp(server, **named):
    values = {"host_key": server.fingerprint, "password": server.password, "allow_private": True, **named}
    return SFTP("127.0.0.1", server.port, server.user, "", **values)


def code_of(action):
    with pytest.raises(PlaceError) as caught:
        action()
    return caught.value.code


def names(place):
    with place:
        return [entry.name for entry in place.entries()]


# -------------------------------------------------------------------------
# BOTH
# -------------------------------------------------------------------------


def test_files_are_listed_oldest_first_and_read_whole(place, root):
    put(root / "bank", "b.xml", b"second", 2_000)
    put(root / "bank", "a.xml", b"first", 1_000)
    with place:
        entries = place.entries()
        assert entries == [Entry("a.xml", 5, 1_000), Entry("b.xml", 6, 2_000)]
        assert [place.content(entry, LIMIT) for entry in entries] == [b"first", b"second"]


def test_what_is_still_written_is_left_alone(place, root):
    for name in ("a.xml.part", "b.tmp", "c.filepart", "D.FilePart", ".hidden.xml", "~lock", "e.xml~"):
        put(root / "bank", name)
    put(root / "bank", "whole.xml")
    assert names(place) == ["whole.xml"]


def test_links_and_folders_are_no_files(place, root):
    (root / "bank" / "link.xml").symlink_to(root.parent / "secret.xml")
    (root / "bank" / "below").mkdir()
    os.mkfifo(root / "bank" / "pipe.xml")
    put(root / "bank", "whole.xml")
    assert names(place) == ["whole.xml"]


def test_a_link_in_the_place_of_a_listed_file_is_not_followed(place, root):
    path = put(root / "bank", "a.xml", b"not yours")
    with place:
        (entry,) = place.entries()
        path.unlink()
        path.symlink_to(root.parent / "secret.xml")
        with pytest.raises(Changed):
            place.content(entry, LIMIT)


def test_a_file_that_grows_or_goes_meanwhile_is_not_read(place, root):
    path = put(root / "bank", "a.xml", b"half")
    with place:
        (entry,) = place.entries()
        path.write_bytes(b"half and the rest")
        with pytest.raises(Changed):
            place.content(entry, LIMIT)
        path.unlink()
        with pytest.raises(Changed):
            place.content(entry, LIMIT)


def test_names_that_lead_elsewhere_are_not_read(place):
    with place:
        for name in ("../secret.xml", "/etc/passwd", "a/b", "", "..", "a\0b"):
            assert code_of(lambda name=name: place.content(Entry(name, 9, 0), LIMIT)) == "not_below_root"


def test_of_a_file_that_is_too_large_only_so_much_is_read(place, root):
    put(root / "bank", "a.xml", b"x" * 5_000)
    with place:
        (entry,) = place.entries()
        assert len(place.content(entry, LIMIT)) == LIMIT + 1


def test_too_many_files_are_refused(place, root, monkeypatch):
    monkeypatch.setattr("odoo.addons.account_online_files.places.common.MAX_FILES", 2)
    for number in range(3):
        put(root / "bank", f"{number}.xml")
    assert code_of(lambda: names(place)) == "too_many"


def test_a_name_that_is_listed_twice_is_one_file():
    once, again = Entry("a.xml", 4, 1_000), Entry("a.xml", 9, 2_000)
    assert checked([again, Entry("b.xml", 5, 1_500), once]) == [once, Entry("b.xml", 5, 1_500)]


def test_partial_names_of_all_programs_are_recognised():
    assert is_partial("a.xml.crdownload")
    assert not is_partial("party.xml")


# -------------------------------------------------------------------------
# A FOLDER
# -------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["..", "bank/..", "../secret.xml", "bank/../../", "./bank", "bank\\..", "bank/\0"])
def test_a_path_that_leads_out_of_the_root_is_refused(root, path):
    assert code_of(lambda: Folder(str(root), path).__enter__()) == "not_below_root"


def test_an_absolute_path_is_looked_for_below_the_root(root):
    assert code_of(lambda: Folder(str(root), "/etc").__enter__()) == "no_folder"


def test_a_folder_that_is_a_link_is_not_entered(root):
    (root / "out").symlink_to(root.parent)
    assert code_of(lambda: Folder(str(root), "out").__enter__()) == "no_folder"


def test_without_a_configured_root_no_folder_is_read(root):
    assert code_of(lambda: Folder("", "bank").__enter__()) == "no_root"
    assert code_of(lambda: Folder(str(root / "gone"), "").__enter__()) == "no_root"


# -------------------------------------------------------------------------
# SFTP
# -------------------------------------------------------------------------


def test_no_password_is_sent_before_the_server_s_key_is_confirmed(server):
    with pytest.raises(PlaceError) as caught:
        sftp(server, host_key="").__enter__()
    assert (caught.value.code, caught.value.detail) == ("unknown_host_key", server.fingerprint)
    assert server.attempts == []


def test_no_password_is_sent_to_a_server_with_another_key(server):
    with pytest.raises(PlaceError) as caught:
        sftp(server, host_key="SHA256:" + "A" * 43).__enter__()
    assert (caught.value.code, caught.value.detail) == ("other_host_key", server.fingerprint)
    assert server.attempts == []


def test_the_fingerprint_is_the_one_that_openssh_shows(server):
    assert sftp(server, host_key="").offered_key() == server.fingerprint
    assert server.fingerprint == server.host_key.fingerprint
    assert server.attempts == []


def test_a_wrong_password_is_distinguished_from_a_silent_server(server):
    assert code_of(lambda: sftp(server, password="wrong").__enter__()) == "refused"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    nobody = SFTP("127.0.0.1", port, "bank", "", host_key=server.fingerprint, allow_private=True)
    assert code_of(nobody.__enter__) == "no_answer"
    assert code_of(nobody.offered_key) == "no_answer"


def shut(transport):
    transport.sock.shutdown(socket.SHUT_RDWR)


def reset(transport):
    transport.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.sock.close()


@pytest.mark.parametrize("end", [shut, reset])
def test_a_connection_lost_while_signing_in_is_not_reported_as_a_wrong_password(server, end):
    server.on_sign_in = end
    assert code_of(sftp(server).__enter__) == "sign_in_ended"


@pytest.mark.parametrize(("limit", "seconds"), [("TIMEOUT", 1), ("STEP_SECONDS", 2)])
def test_a_server_that_does_not_answer_while_signing_in_is_not_reported_as_a_wrong_password(
    server, monkeypatch, limit, seconds
):
    monkeypatch.setattr(sftp_module, limit, seconds)
    over = threading.Event()
    server.on_sign_in = lambda _transport: over.wait(PATIENCE)
    try:
        assert code_of(sftp(server).__enter__) == "sign_in_ended"
    finally:
        over.set()


def test_a_connection_lost_after_signing_in_says_nothing_about_the_password(server, monkeypatch):
    monkeypatch.setattr(Door, "check_channel_subsystem_request", lambda *_arguments: False)
    assert code_of(sftp(server).__enter__) == "ended"


def test_a_refused_password_is_reported_even_if_the_server_then_ends_the_connection(server):
    def allow_no_other_attempt(transport):
        transport.auth_handler.auth_fail_count = 9

    server.on_sign_in = allow_no_other_attempt
    for _attempt in range(5):
        assert code_of(sftp(server, password="wrong").__enter__) == "refused"


def test_a_server_without_password_authentication_refuses_a_password(server, monkeypatch):
    monkeypatch.setattr(Door, "get_allowed_auths", lambda *_arguments: "publickey")
    assert code_of(sftp(server, password="wrong").__enter__) == "refused"


def test_a_connection_lost_between_two_steps_is_reported_as_ended(server, root):
    put(root / "bank", "a.xml")
    with sftp(server) as place:
        (entry,) = place.entries()
        shut(server.transports[-1])
        assert code_of(lambda: place.content(entry, LIMIT)) == code_of(place.entries) == "ended"


def test_a_name_that_nobody_knows_is_reported_without_the_number_of_the_error(monkeypatch):
    def resolve(*_address):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(sftp_module, "resolve", resolve)
    with pytest.raises(PlaceError) as caught:
        SFTP("bank.example", 22, "bank", host_key="SHA256:A").__enter__()
    assert (caught.value.code, caught.value.detail) == ("no_answer", "Name or service not known")


def test_a_private_key_signs_in(root):
    key = paramiko.RSAKey.generate(2048)
    written = io.StringIO()
    key.write_private_key(written)
    put(root / "bank", "a.xml")
    with SFTPServer(root / "bank", client_key=key) as server:
        assert names(sftp(server, private_key=written.getvalue())) == ["a.xml"]
        assert code_of(lambda: sftp(server, private_key="no key").__enter__()) == "bad_key"


def test_a_missing_folder_is_named(server):
    server.folder += "/gone"
    assert code_of(lambda: names(sftp(server))) == "no_folder"


def test_nothing_is_changed_on_the_server(server, root):
    put(root / "bank", "a.xml")
    with sftp(server) as place:
        for entry in place.entries():
            place.content(entry, LIMIT)
    assert server.changes == []
    assert [path.name for path in (root / "bank").iterdir()] == ["a.xml"]


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["93.184.216.34", "10.0.0.7"], ["::1"], ["169.254.169.254"]])
def test_a_server_in_a_private_network_is_not_connected_to(server, monkeypatch, addresses):
    connected = []
    monkeypatch.setattr(sftp_module, "resolve", lambda *_address: addresses)
    monkeypatch.setattr(sftp_module.socket, "create_connection", lambda *address, **_named: connected.append(address))
    one = sftp(server, allow_private=False)
    assert code_of(one.__enter__) == code_of(one.offered_key) == "private_address"
    assert connected == []


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(server, monkeypatch):
    connected = []

    def connect(address, **_named):
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(sftp_module, "resolve", lambda *_address: ["93.184.216.34"])
    monkeypatch.setattr(sftp_module.socket, "create_connection", connect)
    assert code_of(SFTP("bank.example", 2222, "bank", host_key="SHA256:A").__enter__) == "no_answer"
    assert connected == [("93.184.216.34", 2222)]


class Drip:
    """A server that sends a line without an end, one byte at a time."""

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.over = self.listener.getsockname()[1], threading.Event()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return self

    def _serve(self):
        with suppress(OSError):
            connection, _address = self.listener.accept()
            with connection:
                while not self.over.wait(0.05):
                    connection.sendall(b"S")

    def __exit__(self, *_exception):
        self.over.set()
        self.thread.join()
        self.listener.close()


def test_a_server_that_drips_ends_in_time(server, monkeypatch):
    monkeypatch.setattr(sftp_module, "STEP_SECONDS", 0.5)
    with Drip() as drip:
        one = SFTP("127.0.0.1", drip.port, "bank", host_key=server.fingerprint, allow_private=True)
        assert code_of(one.__enter__) == "no_answer"


def test_a_server_that_never_negotiates_is_named_as_one_without_an_answer(server, monkeypatch):
    monkeypatch.setattr(sftp_module, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        one = SFTP("127.0.0.1", silent.getsockname()[1], "bank", host_key=server.fingerprint, allow_private=True)
        for connect in (one.__enter__, one.offered_key):
            with pytest.raises(PlaceError) as caught:
                connect()
            assert (caught.value.code, caught.value.detail) == ("no_answer", "no answer within 0.2 seconds")


def test_a_client_that_resets_its_connection_leaves_the_server_to_the_others(server):
    with socket.create_connection(("127.0.0.1", server.port)) as impatient:
        impatient.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert names(sftp(server)) == []


def test_a_name_that_is_not_utf8_is_named_as_the_reason(server, root):
    with open(os.fsencode(root / "bank") + b"/Ums\xe4tze.csv", "wb"):
        pass
    assert code_of(lambda: names(sftp(server))) == "bad_name"


def test_neither_password_nor_words_of_the_server_are_logged(server, root, caplog):
    caplog.set_level(logging.DEBUG)
    put(root / "bank", "a.xml")
    assert names(sftp(server)) == ["a.xml"]
    assert code_of(lambda: sftp(server, password="wrong-word").__enter__()) == "refused"
    ours = [record for record in caplog.records if not record.name.startswith("paramiko")]
    assert not [record for record in ours if server.password in record.getMessage() or "wrong-word" in str(record.args)]
    assert not [record for record in ours if record.name.startswith(sftp_module.LOG)]
