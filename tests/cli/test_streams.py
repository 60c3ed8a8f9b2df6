"""Standard streams that are full, closed or of a small alphabet."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"
PROGRAM = f"{sys.executable} -m forecaster"
FB = f"{SAMPLE}/FB.csv"


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        f"{PROGRAM} {command}",
        shell=True,
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert b"Traceback" not in done.stderr
    return done


class TestFull:
    def test_a_full_stderr_costs_neither_the_result_nor_its_code(self):
        whole = shell(f"predict {FB} -f csv")
        done = shell(f"predict {FB} -f csv 2>/dev/full")
        assert (done.returncode, done.stdout) == (0, whole.stdout)
        assert shell("predict none.csv 2>/dev/full").returncode == 4
        assert shell("predict --nothing 2>/dev/full").returncode == 2
        done = shell(f"--log-format json predict {FB} -f csv 2>/dev/full")
        assert (done.returncode, done.stdout) == (0, whole.stdout)

    @pytest.mark.parametrize(
        "command", ["--help", "predict --help", "--version", "", "models list"]
    )
    def test_a_full_stdout_is_one_line(self, command):
        done = shell(f"{command} >/dev/full")
        assert done.returncode == 2
        assert done.stderr.count(b"\n") == 2  # one of them before it, below a progress bar
        assert b"the result could not be written (No space left on device)" in done.stderr

    def test_both_are_full(self):
        assert shell(f"predict {FB} >/dev/full 2>/dev/full").returncode == 2


ALPHABETS = (
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "latin-1"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
)


class TestAlphabets:
    @pytest.mark.parametrize("environment", ALPHABETS)
    @pytest.mark.parametrize("command", ["plot", "explain --last 2"])
    def test_characters_that_stdout_lacks_are_replaced(self, command, environment):
        done = shell(f"{command} {FB}", **environment)
        assert done.returncode == 0
        assert done.stdout
        assert all(byte < 128 for byte in done.stdout) or "latin-1" in environment.values()
        assert b"?" not in done.stdout  # each by one that is like it

    def test_no_two_marks_of_a_chart_become_one(self):
        shown = shell(f"plot {FB}", PYTHONIOENCODING="ascii").stdout.decode()
        assert "*** close   = median   - last price   : 90%   # 50%" in shown
        wide = shell(f"plot {FB}", PYTHONIOENCODING="utf-8").stdout.decode()
        assert [len(line) for line in shown.splitlines()] == list(map(len, wide.splitlines()))

    def test_the_card_of_a_model(self):
        done = shell("models show sample", PYTHONIOENCODING="ascii")
        assert done.returncode == 0
        assert b"Settings" in done.stdout
        assert b"?" not in done.stdout

    def test_a_name_that_the_alphabet_lacks(self, tmp_path):
        path = tmp_path / "mün€.csv"
        path.write_bytes(Path(FB).read_bytes())
        done = shell(f"predict {path} -f csv", PYTHONIOENCODING="ascii")
        assert done.returncode == 0
        assert b"n?.csv" not in done.stderr
        assert done.stdout.count(b"\n") == 6
        shown = shell(f"predict {path} --horizon 1", PYTHONIOENCODING="ascii").stdout
        assert shown.startswith(b"M?N?")

    @pytest.mark.parametrize("written", ["csv", "json", "jsonl"])
    @pytest.mark.parametrize("environment", ALPHABETS[:2])
    def test_what_programs_read_is_utf_8_all_the_same(self, tmp_path, environment, written):
        prices = Path(FB).read_bytes()
        for name in ("MÄN", "MÜN"):  # one ticker, if every letter became the same sign
            (tmp_path / f"{name}.csv").write_bytes(prices)
        done = shell(f"predict {tmp_path} --horizon 1 -f {written}", **environment)
        assert done.returncode == 0
        text = done.stdout.decode()
        assert "MÄN" in text
        assert "MÜN" in text


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", ["--help", f"predict {FB}", "predict -"])
def test_closed_streams(command, closed):
    assert shell(f"{command} {closed}").returncode == (4 if command == "predict -" else 0)
