"""What a user gets wrong ends with one line on standard error and exit code 2."""

import os

import pytest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config", "absent.yaml"], "absent.yaml: cannot read the configuration: No such file or directory"),
        (["--set", "trainer.epoch=3"], "unknown key 'trainer.epoch'; did you mean 'epochs'?"),
        (["--set", "trainer.epochs=0"], "trainer.epochs: input should be greater than or equal to 1 (got 0)"),
    ],
    ids=["no config", "unknown key", "out of range"],
)
def test_a_fault_of_the_configuration_is_one_line_and_exit_code_2(refused, tmp_path, arguments, message):
    out, err = refused("run", "--root", str(tmp_path / "root"), *arguments)

    assert err.startswith("error: ")
    assert message in err
    assert len(err.splitlines()) == 1
    assert out == ""


def test_a_fault_of_a_step_is_one_line_and_exit_code_2(project, tmp_path):
    arguments = ["--set", "dataset.kind=files", "--set", "dataset.path=absent.csv"]
    out, err = project.run("run", "--root", str(tmp_path / "root"), *arguments, code=2)

    assert err.startswith("error: ")
    assert "absent.csv" in err
    assert len(err.splitlines()) == 1
    assert "Traceback" not in out


def test_a_fault_inside_a_beam_worker_names_file_and_line(project, tmp_path):
    ratings = tmp_path / "ratings.csv"
    rows = [f"{user},{item},{user * item}" for user in range(3) for item in range(30)]
    rows[41] = "1,oops"
    ratings.write_text("\n".join(["user,item,timestamp", *rows]) + "\n")

    arguments = ["--set", "dataset.kind=files", "--set", f"dataset.path={ratings}"]
    _, err = project.run("run", "--root", str(tmp_path / "root"), *arguments, code=2)

    assert len(err.splitlines()) == 1
    assert f"{ratings} line 43" in err
    written = [path for path in (tmp_path / "root" / "artifacts").rglob("*") if path.is_file()]
    assert written == []


@pytest.mark.skipif(not os.path.isdir("/sys/kernel"), reason="needs Linux, where not even root may write to /sys")
def test_a_root_without_write_permission(refused):
    _, err = refused("run", "--root", "/sys/neumf-run")

    assert err.startswith("error: --root /sys/neumf-run: cannot write there: ")
    assert err.endswith("; choose another --root\n")


def test_a_root_that_is_a_file(refused, tmp_path):
    (tmp_path / "file").write_text("")
    _, err = refused("run", "--root", str(tmp_path / "file" / "root"))

    assert "cannot write there: Not a directory; choose another --root" in err


def test_one_run_at_a_time(project, tmp_path):
    import fcntl

    with (tmp_path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _, err = project.run("run", "--root", str(tmp_path), code=2)

    assert "another run is using it" in err
