"""Kernel files: found by the next process, safe against what others may do to the folder."""

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

from symgrad.compile import cache
from symgrad.errors import CacheWarning

RUN = """
import sys, numpy as np, symgrad as sg
d = sg.derive("np.sum((w - 3)**2)", {"w": "n"}, "w")
k = d.compile("float64")
value, grads = k(w=np.arange(3.0))
assert value == 14 and list(grads["w"]) == [-6, -4, -2], (value, grads)
module = next((m for n, m in sys.modules.items() if n.startswith("symgrad_kernel_")), None)
print("memory" if module is None else sum(module.loss_and_gradient.stats.cache_hits.values()))
"""


def run(folder, *options):
    done = subprocess.run(
        [sys.executable, *options, "-c", RUN],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "SYMGRAD_CACHE_DIR": str(folder)},
    )
    return done.stdout.strip(), done.stderr


def test_next_process_finds_the_kernel_whatever_its_hash_seed(tmp_path):
    os.environ.pop("PYTHONHASHSEED", None)
    assert run(tmp_path)[0] == "0"
    assert run(tmp_path)[0] == "1"
    assert len(list((tmp_path / "kernels").glob("k*.py"))) == 1


def test_damaged_files_are_replaced(tmp_path):
    run(tmp_path)
    (source,) = (tmp_path / "kernels").glob("k*.py")
    whole = source.read_text()
    source.write_text(whole[: len(whole) // 2])
    assert run(tmp_path)[0] in ("0", "1")
    assert source.read_text() == whole
    for index in (tmp_path / "kernels" / "__pycache__").glob("*.nb*"):
        index.write_bytes(index.read_bytes()[:20])
    assert run(tmp_path)[0] == "0"
    assert run(tmp_path)[0] == "1"


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    output, messages = run(blocked, "-W", "always")
    assert output == "memory"
    assert "CacheWarning: The kernel cache" in messages
    assert "kernels are compiled anew in each process" in messages


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="owners are checked on POSIX only")
def test_a_folder_that_others_can_write_to_is_not_used(tmp_path, monkeypatch):
    folder = tmp_path / "kernels"
    folder.mkdir()
    folder.chmod(0o777)
    monkeypatch.setenv("SYMGRAD_CACHE_DIR", str(tmp_path))
    with pytest.warns(CacheWarning, match="other users can write to it"):
        assert cache.cache_folder() is None


def test_one_warning_a_folder(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setenv("SYMGRAD_CACHE_DIR", str(blocked))
    with pytest.warns(CacheWarning):
        cache.cache_folder()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cache.cache_folder() is None


def test_digest_depends_on_the_text():
    assert cache.digest("a") != cache.digest("b")
    assert cache.digest("a") == cache.digest("a")
    assert np.char.isalnum(cache.digest("a"))
