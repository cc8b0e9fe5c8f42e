import logging
import os
from pathlib import Path

import pytest

from components.shared.errors import UserError
from components.shared.files.places import (
    absolute,
    bucket_of,
    expanded,
    file_system,
    is_remote,
    plain_path,
    with_variables,
)
from components.shared.files.reading import described_absence, fingerprint_of, match, names_in, open_file
from components.shared.files.secrets import QuietFormatter, holds_secret, without_secrets


@pytest.mark.parametrize(
    ("name", "remote", "used"),
    [
        ("gs://bucket/a", True, "gs://bucket/a"),
        ("https://host/a", True, "https://host/a"),
        ("file:///data/a%20b.csv", False, "/data/a b.csv"),
        ("~/a", False, f"{Path.home()}/a"),
        ("data/a", False, "data/a"),
    ],
)
def test_names_of_this_machine_and_of_others(name: str, remote: bool, used: str) -> None:
    assert (is_remote(name), expanded(name)) == (remote, used)
    assert absolute(name) == (name if remote else str(Path(used).absolute()))


def test_the_parts_of_a_name() -> None:
    assert bucket_of("s3://bucket/folder/file") == "s3://bucket"
    assert plain_path("https://host/a.csv?sig=1") == "https://host/a.csv"
    assert plain_path("s3://bucket/what?.csv") == "s3://bucket/what?.csv"


@pytest.mark.parametrize("name", ["gs:/bucket/runs", "s3:/bucket"])
def test_a_storage_with_a_slash_too_few_is_no_folder(name: str) -> None:
    with pytest.raises(UserError, match=rf"^{name} is a folder of this machine; a storage is \w+://BUCKET/FOLDER$"):
        absolute(name)


def test_a_storage_of_an_unknown_kind_is_told_with_those_that_are_known() -> None:
    with pytest.raises(UserError, match=r"^nonsense://a: nonsense:// is not known here .*; gs://, s3://, http"):
        file_system("nonsense://a")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("at https://me:hush@host/a, twice", "at https://host/a, twice"),
        ("https://host/a?X-Amz-Signature=hush&part=1", "https://host/a?X-Amz-Signature=...&part=1"),
        ("https://host/a?sv=1&sig=hush", "https://host/a?sv=1&sig=..."),
        (
            "https://host/a.csv?refresh_token=hush&AWSAccessKeyId=hush",
            "https://host/a.csv?refresh_token=...&AWSAccessKeyId=...",
        ),
        ("ftp://me:hu@sh@host/a", "ftp://host/a"),
        ("https://host/a?to=me@host&author=me&keyword=x", "https://host/a?to=me@host&author=me&keyword=x"),
        ("['--db_password=hush', '--jobs=2']", "['--db_password=...', '--jobs=2']"),
        ("mail me@host", "mail me@host"),
        ("https://${ME}@host/a?sig=${SIG}", "https://${ME}@host/a?sig=${SIG}"),
        ("https://${ME}:${KEY}@host/a", "https://${ME}:${KEY}@host/a"),
        ("https://me:${KEY}@host/a", "https://host/a"),
        ("s3://bucket/a@b", "s3://bucket/a@b"),
    ],
)
def test_secrets_are_left_out(text: str, left: str) -> None:
    assert without_secrets(text) == left
    record = logging.LogRecord("x", logging.INFO, "x", 1, "%s", (text,), None)
    assert QuietFormatter("%(message)s").format(record) == left


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ("https://me:hush@host/a", True),
        ("https://host/a?token=hush", True),
        ("s3://key:hush@bucket/a", True),
        ("abfs://container@account/a", False),
        ("https://${ME}@host/a?token=${TOKEN}", False),
        ("--s3_secret_access_key=hush", True),
        ("--s3_secret_access_key", True),
        ("--s3_secret_access_key=${KEY}", False),
        ("--dataflow_kms_key=projects/a/b", False),
        ("clicks-*.csv", False),
    ],
)
def test_what_holds_a_secret(value: str, holds: bool) -> None:
    assert holds_secret(value) == holds


def test_variables_of_the_environment_stand_in_place_of_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ME", "me:hush")
    assert with_variables("https://${ME}@host/$ME") == "https://me:hush@host/$ME"
    assert expanded("https://${ME}@host/a") == "https://me:hush@host/a"
    assert expanded("data/${ME}.csv") == "data/${ME}.csv"
    with pytest.raises(
        UserError, match=r"^\$\{NOBODY\} stands for a variable of the environment, and NOBODY is not set"
    ):
        with_variables("--x=${NOBODY}")


def test_a_file_whose_name_has_brackets_is_meant_before_a_pattern(tmp_path: Path) -> None:
    for name in ("part[1].csv", "part1.csv", "part[2]-a.csv"):
        (tmp_path / name).touch()

    assert match(f"{tmp_path}/part[1].csv") == [f"{tmp_path}/part[1].csv"]
    assert match(f"{tmp_path}/part[12].csv") == [f"{tmp_path}/part1.csv"]
    assert match(f"{tmp_path}/part[2]-*.csv") == [f"{tmp_path}/part[2]-a.csv"]
    assert match(f"{tmp_path}/part[3].csv") == []


def test_what_is_no_file_is_passed_over_by_a_pattern_and_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "good.csv").touch()
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    for link, target in {"dangling": "nothing", "round": "about", "about": "round"}.items():
        (tmp_path / f"{link}.csv").symlink_to(f"{target}.csv")

    assert match(f"{tmp_path}/*.csv") == [f"{tmp_path}/good.csv"]
    assert len(fingerprint_of([str(tmp_path)])) == 16
    for name in ("pipe", "dangling", "round", "folder"):
        assert match(f"{tmp_path}/{name}.csv") == []
    for name, reason in {"dangling": "it is not there", "round": "too many levels", "folder": "is a directory"}.items():
        with pytest.raises(UserError, match=rf"^cannot read .*/{name}\.csv: {reason}"):
            open_file(f"{tmp_path}/{name}.csv")
    for name, reason in {"n" * 300: "file name too long", "a\0b": "its name has a null byte"}.items():
        with pytest.raises(UserError, match=rf"^cannot read .*: {reason}$"):
            names_in(f"{tmp_path}/{name}")


def test_why_nothing_was_found(tmp_path: Path) -> None:
    assert described_absence(str(tmp_path)) == "it is a folder: give a file or a glob such as FOLDER/*.csv"
    assert described_absence(f"{tmp_path}/a").startswith("it is not there; check it")
    with pytest.raises(UserError, match=r"^cannot read .*/a: it is not there$"):
        open_file(f"{tmp_path}/a")
