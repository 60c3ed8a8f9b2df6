from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from forecaster import paths
from forecaster.atomic import TEMPORARY, locked, write_atomically
from forecaster.errors import LockHeld, SettingsError


class TestHome:
    def test_is_the_folder_in_the_environment(self, home):
        assert paths.home() == home
        assert paths.models_folder() == home / "models"

    def test_may_begin_with_a_tilde(self, monkeypatch):
        monkeypatch.setenv("FORECASTER_HOME", "~/elsewhere")
        assert paths.home() == Path.home() / "elsewhere"

    @pytest.mark.parametrize("value", ["", None])
    def test_is_the_platforms_folder_otherwise(self, monkeypatch, value):
        if value is None:
            monkeypatch.delenv("FORECASTER_HOME")
        else:
            monkeypatch.setenv("FORECASTER_HOME", value)
        assert paths.home().name == "forecaster"
        assert paths.home().is_absolute()


class TestModes:
    def test_a_new_home_is_its_owners_alone(self, home):
        write_atomically(home / "models" / "m.forecast", b"")
        assert stat.S_IMODE(home.stat().st_mode) == 0o700

    def test_other_folders_are_made_as_any_other(self, home, tmp_path):
        (tmp_path / "plain").mkdir()
        write_atomically(tmp_path / "a" / "b" / "c.txt", b"")
        modes = {p.stat().st_mode for p in map(tmp_path.joinpath, ("plain", "a", "a/b"))}
        assert len(modes) == 1
        assert not home.exists()

    def test_a_home_that_is_there_keeps_its_mode(self, home):
        home.mkdir(mode=0o755)
        write_atomically(home / "models" / "m.forecast", b"")
        assert stat.S_IMODE(home.stat().st_mode) == 0o755


class TestWriteAtomically:
    def test_makes_the_folder_and_the_file(self, tmp_path):
        path = tmp_path / "new" / "file.txt"
        write_atomically(path, b"one")
        write_atomically(path, b"two")
        assert path.read_bytes() == b"two"
        assert [p.name for p in path.parent.iterdir()] == ["file.txt"]

    def test_gives_the_file_the_rights_of_any_new_file(self, tmp_path):
        plain, ours = tmp_path / "plain", tmp_path / "ours"
        plain.write_bytes(b"")
        write_atomically(ours, b"")
        assert stat.S_IMODE(ours.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)

    @pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755])
    def test_a_file_that_is_replaced_keeps_its_mode(self, tmp_path, mode):
        path = tmp_path / "file.txt"
        path.write_bytes(b"old")
        path.chmod(mode)
        write_atomically(path, b"new")
        assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", mode)

    @pytest.mark.parametrize("unnamed", [True, False])
    def test_kill_9_leaves_nothing_that_the_next_writer_does_not_remove(self, tmp_path, unnamed):
        """A file that has no name yet goes with the process; another one is removed later."""
        child = subprocess.Popen(
            [sys.executable, "-c", WRITE, str(tmp_path / "a.txt"), str(int(unnamed))],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert child.stdout.readline() == "written\n"
        write_atomically(tmp_path / "a.txt", b"another run's")  # what still runs is left alone
        assert len(list(tmp_path.iterdir())) == (1 if unnamed else 2)
        child.kill()
        child.wait()
        child.stdout.close()
        write_atomically(tmp_path / "a.txt", b"new")
        assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]

    def test_an_interrupted_write_leaves_the_old_content(self, tmp_path, monkeypatch):
        path = tmp_path / "file.txt"
        write_atomically(path, b"old")

        def interrupt(_handle):
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_atomically(path, b"new")
        assert path.read_bytes() == b"old"
        assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]

    def test_a_link_stays_a_link(self, tmp_path):
        real, link = tmp_path / "real.txt", tmp_path / "folder" / "link.txt"
        link.parent.mkdir()
        link.symlink_to(real)
        for content in (b"one", b"two"):
            write_atomically(link, content)
            assert link.is_symlink()
            assert real.read_bytes() == content

    def test_a_pipe_is_written_to_and_not_replaced(self, tmp_path):
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        reader = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE)
        try:
            write_atomically(pipe, b"hello")
            assert stat.S_ISFIFO(pipe.stat().st_mode)
            assert reader.communicate(timeout=10)[0] == b"hello"
        finally:
            reader.kill()
            reader.wait()

    def test_the_content_is_on_disk_before_the_name_is_changed(self, tmp_path, monkeypatch):
        path, order = tmp_path / "file.txt", []
        sync, replace = os.fsync, Path.replace
        monkeypatch.setattr(os, "fsync", lambda h: (order.append("sync"), sync(h))[1])
        monkeypatch.setattr(
            Path, "replace", lambda a, b: (order.append("replace"), replace(a, b))[1]
        )
        write_atomically(path, b"new")
        assert order == ["sync", "replace", "sync"]


WRITE = """
import os, sys, time
from pathlib import Path
from forecaster.atomic import replacing
if sys.argv[2] == "0":
    del os.O_TMPFILE
with replacing(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    print("written", flush=True)
    time.sleep(60)
"""
HOLD = """
import sys, time
from pathlib import Path
from forecaster.atomic import locked
with locked(Path(sys.argv[1]), "model m"):
    print("held", flush=True)
    time.sleep(60)
"""


class TestLocked:
    def test_a_second_process_is_told_and_kill_9_frees_the_lock(self, tmp_path):
        path = tmp_path / "models" / "m.forecast"
        child = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True
        )
        try:
            assert child.stdout.readline() == "held\n"
            with (
                pytest.raises(LockHeld, match="another run is writing model m") as held,
                locked(path, "model m"),
            ):
                pass
            assert held.value.exit_code == 8
            with locked(path.with_name("other.forecast"), "model other"):
                pass
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait()
            child.stdout.close()
        started = time.monotonic()
        with locked(path, "model m"):
            assert time.monotonic() - started < 5

    def test_is_free_again_after_an_error(self, tmp_path):
        path = tmp_path / "m.forecast"
        with pytest.raises(RuntimeError), locked(path, "model m"):
            raise RuntimeError
        with locked(path, "model m"):
            pass

    def test_the_same_process_cannot_hold_it_twice(self, tmp_path):
        path = tmp_path / "m.forecast"
        with locked(path, "it"), pytest.raises(LockHeld), locked(path, "it"):
            pass

    @pytest.mark.parametrize("name", ["m.forecast", "a[1].forecast", "star*.forecast"])
    def test_removes_what_a_killed_run_left(self, tmp_path, name):
        path = tmp_path / name
        stale = tmp_path / f".{name}.abcd_123{TEMPORARY}"
        stale.write_bytes(b"half")
        with locked(path, "it"):
            assert not stale.exists()

    def test_leaves_files_of_other_models_alone(self, tmp_path):
        others = [
            tmp_path / f".m.forecast.v2.forecast.abcd_123{TEMPORARY}",
            tmp_path / f".mm.forecast.abcd_123{TEMPORARY}",
            tmp_path / "m.forecast",
            tmp_path / "note.writing",
        ]
        for other in others:
            other.write_bytes(b"kept")
        with locked(tmp_path / "m.forecast", "it"):
            pass
        assert all(other.exists() for other in others)

    def test_a_folder_that_cannot_be_made_is_a_setting_to_change(self, tmp_path):
        (tmp_path / "file").write_text("")
        with (
            pytest.raises(SettingsError, match="FORECASTER_HOME"),
            locked(tmp_path / "file" / "m.forecast", "model m"),
        ):
            pass
