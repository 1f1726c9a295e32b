import pytest

from infra.checks.words import SHIPPED, WORDS, main


def lines(capsys):
    return capsys.readouterr().out.splitlines()


def test_clean_code_passes_in_silence(tmp_path, capsys):
    (tmp_path / "clean.py").write_text("remote = 'personal stubborn mockingbird sandboxed motor'\n")
    assert main([str(tmp_path)]) == 0
    assert lines(capsys) == []


@pytest.mark.parametrize("word", WORDS)
def test_each_word_is_found_whatever_its_case(word, tmp_path, capsys):
    (tmp_path / "module.py").write_text(f"first = 1\nurl = 'http://{word.title()}:80'\n")
    assert main([str(tmp_path)]) == 1
    assert lines(capsys) == [f"{tmp_path}/module.py:2: {word.title()}"]


def test_an_underscore_divides_words(tmp_path):
    (tmp_path / "module.py").write_text("use_fake_clock = True\n")
    assert main([str(tmp_path)]) == 1


def test_every_file_below_every_folder_is_read(tmp_path, capsys):
    for name in ("one/deep/page.html", "two/logo.bin"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(b"\xff localhost\n")
    assert main([str(tmp_path / "one"), str(tmp_path / "two")]) == 1
    assert [line.removeprefix(f"{tmp_path}/") for line in lines(capsys)] == [
        "one/deep/page.html:1: localhost",
        "two/logo.bin:1: localhost",
    ]


def test_bytecode_is_not_read(tmp_path):
    (tmp_path / "module.pyc").write_text("mock\n")
    assert main([str(tmp_path)]) == 0


def test_what_ships_is_what_is_looked_at():
    assert SHIPPED == ("bot", "handlers")
