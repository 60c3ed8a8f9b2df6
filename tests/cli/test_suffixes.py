"""The suffix of a file is its format, in every command, and is checked before anything is done."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

import forecaster
from forecaster.cli import config_file
from forecaster.cli.formats import PAGE, Formats
from forecaster.cli.uses import use_of
from forecaster.errors import SettingsError

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch) -> Path:
    """A folder with prices."""
    folder = tmp_path / "place"
    folder.mkdir()
    monkeypatch.chdir(folder)
    shutil.copy(SAMPLE / "FB.csv", folder / "FB.csv")
    return folder


def outputs(program) -> list[tuple[str, str, Formats, Any]]:
    """The command, the option, what it can write, and the parameter, of every output."""
    return [
        (command, key, use.formats, param)
        for command, params in config_file.options_of(program).items()
        for key, param in params.items()
        if (use := use_of(param)) is not None and use.formats is not None
    ]


def words_of(program, command: str) -> list[str]:
    """A command with a missing file for each argument that it needs: nothing may read it."""
    group = program
    for name in command.split("."):
        group = group.commands[name]
    needed = [p for p in group.params if p.param_type_name == "argument" and p.required]
    return [*command.split("."), *("missing.csv" for _ in needed)]


def test_every_output_is_called_output_but_where_it_is_another(program):
    named = {(command, key) for command, key, *_ in outputs(program) if key != "output"}
    assert named == {
        ("train", "model-file"), ("backtest", "plot-output"), ("batch", "summary"),
        ("batch", "metrics"), ("tune", "settings-file"), ("tune", "study"),
    }  # fmt: skip
    free = {
        key
        for params in config_file.options_of(program).values()
        for key, param in params.items()
        if (use := use_of(param)) and use.verb == "writes" and use.formats is None
    }
    assert free == {"head-file", "folder"}


@pytest.mark.parametrize("name", ["x.xlsx", "x.tar.gz", "x.csv.bak", "x.", "x.csv ", "a.csv/b.doc"])
def test_an_unknown_suffix_is_refused_with_those_that_there_are(forecast, program, place, name):
    for command, key, formats, _ in outputs(program):
        done = forecast(*words_of(program, command), f"--{key}", name)
        assert (done.returncode, done.stdout) == (2, ""), (command, key, done.stderr)
        assert all(suffix in done.stderr for suffix in formats.suffixes), (command, key)
    assert [path.name for path in place.iterdir()] == ["FB.csv"]


def test_a_contradiction_is_refused_with_two_ways_out(forecast, program, place):
    tried = 0
    for command, key, formats, _ in outputs(program):
        option = formats.option
        if option is None:
            continue
        named = config_file.options_of(program)[command][option]
        choices = set(map(str, named.type_descriptor.choices))
        for suffix, format in formats.suffixes.items():
            for other in (set(formats.suffixes.values()) & choices) - {format}:
                words = [*words_of(program, command), f"--{key}", f"x{suffix}"]
                done = forecast(*words, f"--{option}", other)
                do = f"Give --{option} {format}" if format in choices else f"Leave --{option} out"
                assert done.returncode == 2
                assert f"{do}, or call the file x." in done.stderr
                tried += 1
    assert tried > 60
    assert [path.name for path in place.iterdir()] == ["FB.csv"]


@pytest.mark.parametrize("option", ["-o", "--output"])
@pytest.mark.parametrize("name", ["f.json", "F.JSON", "a.csv.json", ".json", "new/folder/f.json"])
def test_a_known_suffix_decides(forecast, option, name):
    done = forecast("predict", "FB.csv", "-m", "sample", option, name)
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads(Path(name).read_text())["schema"] == "forecast/1"
    assert f"wrote {name}\n" in done.stderr


def test_each_format_of_forecasts(forecast):
    for command in ("predict", "batch"):
        written = {}
        for suffix in (".csv", ".json", ".jsonl", ".ndjson", ".parquet", ".pq", ".txt"):
            if (command, suffix) != ("batch", ".txt"):
                words = [command, "FB.csv", "-m", "sample", "--horizon", "3", "-o", f"f{suffix}"]
                assert forecast(*words).returncode == 0, suffix
                written[suffix] = Path(f"f{suffix}")
        rows = written[".csv"].read_text().splitlines()
        table = parquet.read_table(written[".parquet"]).to_pylist()
        (line,) = map(json.loads, written[".jsonl"].read_text().splitlines())
        (same,) = json.loads(written[".json"].read_text())["forecasts"]
        assert len(rows) == 4
        assert line == same
        assert [r["q0.5"] for r in table] == [s["quantiles"]["0.5"] for s in same["steps"]]
        assert written[".ndjson"].read_bytes() == written[".jsonl"].read_bytes()
        assert written[".pq"].read_bytes() == written[".parquet"].read_bytes()
    done = forecast("predict", "FB.csv", "-m", "sample", "--horizon", "3")
    assert Path("f.txt").read_text() == done.stdout


def test_a_name_without_a_suffix_is_what_format_says_or_the_usual_one(forecast):
    for words, start in (([], "FB "), (["-f", "json"], "{"), (["-f", "csv"], "ticker,")):
        assert forecast("predict", "FB.csv", "-m", "sample", "-o", "x", *words).returncode == 0
        assert Path("x").read_text().startswith(start)


def test_a_dash_is_standard_output(forecast):
    done = forecast("predict", "FB.csv", "-m", "sample", "-f", "csv", "-o", "-")
    assert done.stdout.startswith("ticker,")
    assert not Path("-").exists()


def test_where_another_output_has_that_suffix_it_is_named(forecast):
    for words, said in (
        (["train", "FB.csv", "-o", "m.forecast"], ".forecast is for --model-file."),
        (["backtest", "FB.csv", "-o", "m.png"], ".png is for --plot-output."),
        (
            ["predict", "FB.csv", "-o", "m.svg"],
            ".svg is for forecast backtest, forecast risk and forecast plot.",
        ),
    ):
        assert said in forecast(*words).stderr


def test_a_format_from_a_variable_or_the_file_is_said_to_be(forecast):
    set_twice = {"FORECASTER_PREDICT_FORMAT": "json", "FORECASTER_PREDICT_OUTPUT": "x.csv"}
    done = forecast("predict", "FB.csv", **set_twice)
    assert done.returncode == 2
    assert "--format comes from FORECASTER_PREDICT_FORMAT" in done.stderr


def test_a_typed_suffix_goes_before_a_format_that_is_set(forecast):
    words = ("predict", "FB.csv", "-m", "sample", "-o", "x.csv")
    assert forecast(*words, FORECASTER_PREDICT_FORMAT="json").returncode == 0
    assert Path("x.csv").read_text().startswith("ticker,")


class TestTheOldNames:
    def test_of_flags_work_and_are_not_shown(self, forecast):
        assert forecast("batch", "FB.csv", "-m", "sample", "-q", "--out", "b.csv").returncode == 0
        assert Path("b.csv").exists()
        assert "--model-file is m.bin" in forecast("train", "FB.csv", "--out=m.bin").stderr
        for command in ("batch", "train"):
            assert "--out " not in forecast(command, "--help").stdout

    def test_of_variables_work(self, forecast):
        done = forecast("batch", "FB.csv", "-m", "sample", "-q", FORECASTER_BATCH_OUT="b.csv")
        assert (done.returncode, done.stderr) == (0, "")
        assert Path("b.csv").exists()
        done = forecast("train", "FB.csv", FORECASTER_TRAIN_OUT="m.bin")
        assert "--model-file comes from FORECASTER_TRAIN_OUT" in done.stderr

    def test_of_keys_work(self, forecast, place):
        mine = place / "mine.toml"
        mine.write_text('[batch]\nout = "b.csv"\n\n[train]\nout = "m.bin"\n')
        said = {"FORECASTER_CONFIG": str(mine)}
        assert forecast("batch", "FB.csv", "-m", "sample", "-q", **said).returncode == 0
        assert Path("b.csv").exists()
        assert "--model-file comes from [train]" in forecast("train", "FB.csv", **said).stderr

    def test_beside_the_new_ones_are_refused(self, forecast, place):
        mine = place / "mine.toml"
        mine.write_text('[batch]\nout = "b.csv"\noutput = "c.csv"\n')
        done = forecast("batch", "FB.csv", FORECASTER_CONFIG=str(mine))
        assert (done.returncode, "out in [batch] is another name of output" in done.stderr) == (
            2, True,
        )  # fmt: skip

    def test_are_reserved_like_the_new_ones(self, forecast, place):
        (place / "forecaster.toml").write_text('[batch]\nout = "b.csv"\n')
        done = forecast("batch", "FB.csv")
        assert (done.returncode, "says where to write" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "instead"),
    [
        (("export", "sample", "-o"), "--output export.keras"),
        (("report", "sample", "-o"), "--output report.html"),
        (("batch", "FB.csv", "-m", "sample", "--metrics"), "--metrics batch.prom"),
    ],
)
def test_a_dash_is_no_name_of_a_file(forecast, words, instead):
    done = forecast(*words, "-")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(f"a file is needed, as in {instead}\n")
    assert not list(Path().glob("-*"))


def test_a_device_is_no_name_of_a_picture(forecast):
    done = forecast("plot", "FB.csv", "-m", "sample", "-o", "/dev/null")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("Call it plot.png.\n")


def test_python_knows_the_suffixes_of_pages():
    from forecaster.output.report.page import SUFFIXES

    assert tuple(PAGE.suffixes) == SUFFIXES
    with pytest.raises(SettingsError, match=r"output is r\.pdf; a page's name ends in \.html"):
        forecaster.report("sample", "r.pdf")
    assert forecaster.report("sample", "r.HTM").name == "r.HTM"
