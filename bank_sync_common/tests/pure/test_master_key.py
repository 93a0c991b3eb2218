import pytest

from odoo.addons.bank_sync_common.tools.master_key import KeyUnavailable, MasterKeys, read_master_keys

KEY = "a master key that is long enough"


def read(path, **options):
    return read_master_keys(options, path)


def test_key_of_the_configuration_is_taken_as_it_is(tmp_path):
    assert read(tmp_path / "key", bank_sync_key=KEY) == MasterKeys(KEY.encode())


def test_key_comes_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("SOME_KEY", KEY)
    assert read(tmp_path / "key", bank_sync_key="env:SOME_KEY").current == KEY.encode()


def test_key_comes_from_a_file_without_its_line_break(tmp_path):
    (tmp_path / "secret").write_text(f"{KEY}\n")
    assert read(tmp_path / "key", bank_sync_key=f"file:{tmp_path}/secret").current == KEY.encode()


def test_key_comes_from_a_command_that_is_run_once(tmp_path):
    runs = tmp_path / "runs"
    script = tmp_path / "give key"
    script.write_text(f"#!/bin/sh\necho run >> '{runs}'\necho '{KEY}'\n")
    script.chmod(0o700)
    for _index in range(3):
        assert read(tmp_path / "key", bank_sync_key=f"command:'{script}' --field key").current == KEY.encode()
    assert runs.read_text() == "run\n"


def test_second_key_comes_from_the_same_places(tmp_path, monkeypatch):
    monkeypatch.setenv("OLD_KEY", "old")
    keys = read(tmp_path / "key", bank_sync_key=KEY, bank_sync_second_key="env:OLD_KEY")
    assert keys == MasterKeys(KEY.encode(), b"old")


def test_second_key_may_stand_beside_the_key_file_of_an_installation(tmp_path):
    keys = read(tmp_path / "keys" / "name.key", bank_sync_second_key=KEY)
    assert keys.current == (tmp_path / "keys" / "name.key").read_bytes()
    assert keys.second == KEY.encode()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("env:NOT_THERE", "the environment has no NOT_THERE"),
        ("file:/not/there", "/not/there can't be opened (No such file or directory)"),
        ("command:/not/there", "/not/there can't be opened (No such file or directory)"),
        ("command:false", "the command ended with 1"),
        ("command:'", "the command can't be read"),
    ],
)
def test_key_that_is_not_where_it_should_be_is_named_with_its_option(tmp_path, value, reason):
    for option in ("bank_sync_key", "bank_sync_second_key"):
        with pytest.raises(KeyUnavailable) as caught:
            read(tmp_path / "key", **{"bank_sync_key": KEY, option: value})
        assert str(caught.value) == f"{option} can't be read, because {reason}."


def test_what_a_failed_command_printed_is_never_quoted(tmp_path):
    script = tmp_path / "fails"
    script.write_text(f"#!/bin/sh\necho '{KEY}'\necho '{KEY}' >&2\nexit 3\n")
    script.chmod(0o700)
    with pytest.raises(KeyUnavailable) as caught:
        read(tmp_path / "key", bank_sync_key=f"command:{script}")
    assert KEY not in str(caught.value)


def test_missing_key_makes_no_new_one(tmp_path):
    with pytest.raises(KeyUnavailable):
        read(tmp_path / "key", bank_sync_key="file:/not/there")
    assert not list(tmp_path.iterdir())
