"""In which order ``scripts/test`` runs the suites, and what it leaves to CI and to the nightly run."""

import random
import re
from types import SimpleNamespace

import pytest

from environment import longest_first, paths, slow, suites, thorough

CONTRIBUTING = (paths.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_each_of_the_longest_files_exists_and_is_named_once():
    assert [file for file in longest_first.FILES if not (paths.ROOT / file).is_file()] == []
    assert len(set(longest_first.FILES)) == len(longest_first.FILES)


def test_the_longest_files_begin_and_the_others_follow_by_their_number_of_tests():
    first, second = (paths.ROOT / file for file in longest_first.FILES[:2])
    few, many = paths.ROOT / "tests" / "a.py", paths.ROOT / "tests" / "b.py"
    items = [SimpleNamespace(path=path) for path in (few, many, many, second, many, first, second)]
    random.Random(1).shuffle(items)
    longest_first.pytest_collection_modifyitems(items)
    assert [item.path for item in items] == [first, second, second, many, many, many, few]


def test_tests_of_a_file_keep_their_order():
    names = [SimpleNamespace(path=paths.ROOT / longest_first.FILES[0], name=name) for name in "bca"]
    items = list(names)
    longest_first.pytest_collection_modifyitems(items)
    assert items == names


def test_an_inner_folder_comes_before_the_one_around_it():
    """Or a path would belong to the wrong suite."""
    folders = [(suite, folder) for suite in suites.ORDER for folder in suites.folders(suite)]
    for number, (suite, folder) in enumerate(folders):
        inner = [other for other, path in folders[number + 1 :] if folder in path.parents]
        assert not inner, f"{inner} lie in {suite}, which comes before them"


def test_every_file_of_the_whole_that_leaves_tests_to_the_nightly_run_is_listed():
    whole = [*(paths.ROOT / "tests").glob("test_*.py"), *(paths.ROOT / "tests" / "alone").glob("test_*.py")]
    marked = [path for path in whole if "mark.thorough" in path.read_text(encoding="utf-8")]
    assert len(marked) > 8
    table = CONTRIBUTING.partition("## What runs with `--thorough` only")[2]
    missing = [str(path.relative_to(paths.ROOT)) for path in marked if str(path.relative_to(paths.ROOT)) not in table]
    assert missing == []


def test_every_test_that_is_left_to_ci_exists():
    for name in slow.TESTS:
        file, _, function = name.partition("::")
        assert f"def {function}" in (paths.ROOT / file).read_text(encoding="utf-8"), name


def test_every_test_that_covers_a_slow_one_exists_and_always_runs():
    files = [path for suite in suites.ORDER for folder in suites.folders(suite) for path in folder.glob("test_*.py")]
    always = {path.name for path in files if str(path.relative_to(paths.ROOT)) not in slow.TESTS}
    named = {file for sentence in slow.TESTS.values() for file in re.findall(r"test_\w+\.py", sentence)}
    assert named - always == set()


def an_item(file, name, *marks):
    return SimpleNamespace(path=paths.ROOT / file, name=name, get_closest_marker={mark: mark for mark in marks}.get)


ITEMS = {
    "ordinary": an_item("tests/test_browser.py", "test_a"),
    "slow": an_item(next(iter(slow.TESTS)), "test_b"),
    "slow alone": an_item(*next(name for name in slow.TESTS if "::" in name).split("::")),
    "thorough": an_item("tests/test_browser.py", "test_c[1]", "thorough"),
}


@pytest.mark.parametrize(
    "is_complete, is_thorough, run",
    [(False, False, {"ordinary"}), (True, False, {"ordinary", "slow", "slow alone"}), (True, True, set(ITEMS))],
    ids=["ordinary", "complete", "thorough"],
)
def test_each_run_has_the_tests_of_the_shorter_ones(monkeypatch, is_complete, is_thorough, run):
    monkeypatch.setattr(thorough, "IS_COMPLETE", is_complete)
    monkeypatch.setattr(thorough, "IS_ON", is_thorough)
    assert {name for name, item in ITEMS.items() if not thorough.is_left_out(item)} == run
