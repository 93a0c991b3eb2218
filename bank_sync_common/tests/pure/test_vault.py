import stat
import threading

import pytest

from odoo.addons.bank_sync_common.tools.master_key import read_or_create_master
from odoo.addons.bank_sync_common.tools.vault import SecretsUnreadable, Vault, WeakKey

MASTER = b"m" * 32


PLACE = ("bank.sync.connection", "7", "secret_state")


def test_what_is_encrypted_is_read_again_and_not_readable():
    vault = Vault(MASTER, "uuid", "name")
    text = vault.encrypt({"token": "s3cret", "accent": "é"}, *PLACE)
    assert "s3cret" not in text
    assert vault.decrypt(text, *PLACE) == {"token": "s3cret", "accent": "é"}
    assert vault.encrypt({"token": "s3cret"}, *PLACE) != vault.encrypt({"token": "s3cret"}, *PLACE)


@pytest.mark.parametrize(
    "other",
    [(b"n" * 32, "uuid", "name"), (MASTER, "copy", "name"), (MASTER, "uuid", "copy"), (MASTER, "uuid", "name", "x")],
    ids=["key", "uuid", "name", "addon"],
)
def test_another_key_or_a_copied_database_reads_nothing(other):
    text = Vault(MASTER, "uuid", "name").encrypt({"token": "s3cret"}, *PLACE)
    with pytest.raises(SecretsUnreadable) as caught:
        Vault(*other).decrypt(text, *PLACE)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "other",
    [
        ("bank.sync.connection", "8", "secret_state"),
        ("bank.sync.client", "7", "secret_state"),
        ("bank.sync.connection", "7", "secret_data"),
        ("bank.sync.connection", "7"),
        ("bank.sync.connection", "7", "secret_state", ""),
        ("bank.sync.connection7", "", "secret_state"),
        (),
    ],
)
def test_secret_that_was_moved_to_another_place_is_unreadable(other):
    vault = Vault(MASTER, "uuid", "name")
    with pytest.raises(SecretsUnreadable):
        vault.decrypt(vault.encrypt({"token": "s3cret"}, *PLACE), *other)


def test_uuid_and_name_cannot_be_shifted_into_one_another():
    text = Vault(MASTER, "ab", "c").encrypt(1, *PLACE)
    with pytest.raises(SecretsUnreadable):
        Vault(MASTER, "a", "bc").decrypt(text, *PLACE)


def test_rubbish_is_unreadable_not_a_crash():
    for text in ("", "rubbish", "gAAAAA", "é"):
        with pytest.raises(SecretsUnreadable):
            Vault(MASTER, "uuid", "name").decrypt(text, *PLACE)


def test_a_digest_can_be_compared_and_not_be_tried_out_elsewhere():
    vault = Vault(MASTER, "uuid", "name")
    assert vault.digest("code", "123456") == Vault(MASTER, "uuid", "name").digest("code", "123456")
    others = [Vault(b"n" * 32, "uuid", "name"), Vault(MASTER, "copy", "name"), Vault(MASTER, "uuid", "copy")]
    assert vault.digest("code", "123456") not in {other.digest("code", "123456") for other in others}
    assert vault.digest("ab", "c") != vault.digest("a", "bc")


#: As version 19.0.1.0.0 has stored it, for no place.
UNBOUND = (
    "gAAAAABrBgnOXDU_ADxILgrEJ38gSvFnzro4A-B6OwfFhT-P_jimAZ3SfwqOSBAGLk7ZpL56oRDSIpVsjmSdKrgjDau3o8GLocuznuVTFm8S1Q3Y"
    "rrCP_8U="
)


def test_secret_of_the_first_version_is_bound_to_its_place():
    vault = Vault(MASTER, "uuid", "name")
    bound = vault.bind(UNBOUND, *PLACE)
    assert vault.decrypt(bound, *PLACE) == {"token": "kept"}
    assert vault.bind(bound, *PLACE) == bound


def test_secret_of_the_first_version_is_readable_nowhere_without_being_bound():
    vault = Vault(MASTER, "uuid", "name")
    for place in (PLACE, ()):
        with pytest.raises(SecretsUnreadable):
            vault.decrypt(UNBOUND, *place)


def test_secret_that_is_bound_elsewhere_is_not_bound_again():
    vault = Vault(MASTER, "uuid", "name")
    with pytest.raises(SecretsUnreadable):
        vault.bind(vault.encrypt(1, "another"), *PLACE)


def test_a_weak_key_is_refused():
    with pytest.raises(WeakKey):
        Vault(b"short", "uuid", "name")


NEW = b"another master key, long enough to be one"


def test_secret_of_the_second_key_is_read_and_written_again_with_the_current_one():
    old, both, new = Vault(MASTER, "u", "n"), Vault(NEW, "u", "n", second=MASTER), Vault(NEW, "u", "n")
    text = old.encrypt({"token": "kept"}, *PLACE)
    assert both.decrypt(text, *PLACE) == {"token": "kept"}
    with pytest.raises(SecretsUnreadable):
        new.decrypt(text, *PLACE)
    renewed = both.reencrypt(text, *PLACE)
    assert new.decrypt(renewed, *PLACE) == {"token": "kept"}
    assert both.reencrypt(renewed, *PLACE) == renewed


def test_machines_in_the_middle_of_a_change_read_what_each_other_wrote():
    first, last = Vault(MASTER, "u", "n", second=NEW), Vault(NEW, "u", "n", second=MASTER)
    assert last.decrypt(first.encrypt(1, *PLACE), *PLACE) == first.decrypt(last.encrypt(1, *PLACE), *PLACE) == 1


def test_reencryption_keeps_a_secret_in_its_place():
    both = Vault(NEW, "u", "n", second=MASTER)
    with pytest.raises(SecretsUnreadable):
        both.reencrypt(Vault(MASTER, "u", "n").encrypt(1, "elsewhere"), *PLACE)


def test_digest_of_the_second_key_is_still_one():
    digest = Vault(MASTER, "u", "n").digest("code", "123456")
    assert Vault(NEW, "u", "n", second=MASTER).is_digest(digest, "code", "123456")
    assert not Vault(NEW, "u", "n", second=MASTER).is_digest(digest, "code", "123457")
    assert not Vault(NEW, "u", "n").is_digest(digest, "code", "123456")


def test_a_weak_second_key_is_refused():
    with pytest.raises(WeakKey):
        Vault(MASTER, "u", "n", second=b"short")


def test_the_key_file_is_made_once_for_the_owner_only(tmp_path):
    path = tmp_path / "bank_sync" / "name.key"
    key = read_or_create_master(path)
    assert len(key) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert read_or_create_master(path) == key
    assert [file.name for file in path.parent.iterdir()] == ["name.key"]


def test_workers_that_start_together_agree_on_one_key(tmp_path):
    path = tmp_path / "bank_sync" / "name.key"
    barrier, keys = threading.Barrier(8), []

    def start():
        barrier.wait()
        keys.append(read_or_create_master(path))

    threads = [threading.Thread(target=start) for _index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1
