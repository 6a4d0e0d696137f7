"""The kernel cache: found by the next process, right whatever happens to the files, never anybody else's."""

import linecache
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from symgrad.compile import cache, folder
from symgrad.errors import CacheWarning, SpecError

POSIX = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="owners are checked on POSIX only")
SOURCE = """
import numpy as np
from numba import njit


@njit
def doubled(x, out):
    total = 0.0
    for i in range(x.size):
        out[i] = 2 * x[i]
        total += out[i]
    return total


@njit
def largest(x, out):
    return max(x.max(), out.max())
"""

# The package without what it imports: sixteen processes that load SymPy take a while.
PROGRAM = f"""
import sys, types
import numpy as np
package = sys.modules["symgrad.compile"] = types.ModuleType("symgrad.compile")
package.__path__ = {[str(Path(cache.__file__).parent)]!r}
from symgrad.compile.cache import compile_for, load
source = '''{SOURCE}'''
arguments = np.arange(3.0), np.empty(3)
function = load(source, "doubled")
compile_for(function, arguments)
assert function(*arguments) == 6
print("compiled" if "numba.np.arraymath" in sys.modules else "loaded")
"""


@pytest.fixture
def kernels(tmp_path, monkeypatch):
    """An empty cache folder, and no warning given yet."""
    monkeypatch.setenv(folder.FOLDER, str(tmp_path))
    monkeypatch.delenv(folder.LIMIT, raising=False)
    folder.done_without.cache_clear()
    return tmp_path / "kernels"


LET_WARN = """
import warnings
from symgrad.errors import CacheWarning
warnings.simplefilter("always", CacheWarning)
"""


def start(code=PROGRAM, **environment):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", LET_WARN + code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def finish(process):
    output, messages = process.communicate()
    assert process.returncode == 0, messages
    return output.strip(), messages


def run(code=PROGRAM, **environment):
    return finish(start(code, **environment))[0]


def again(source=SOURCE, name="doubled"):
    """As a new process would: call the kernel; whether its code was compiled or loaded."""
    sys.modules.pop(f"symgrad_kernel_{cache.digest(source)}", None)
    assert value_of(source, name) == (2 if name == "largest" else 6)
    return "loaded" if cache.load(source, name).stats.cache_hits else "compiled"


def value_of(source=SOURCE, name="doubled"):
    function = cache.load(source, name)
    arguments = np.arange(3.0), np.zeros(3)
    cache.compile_for(function, arguments)
    return function(*arguments)


def names(place):
    return sorted(path.name.rpartition(".")[2] for path in place.iterdir())


class TestFound:
    def test_by_the_next_process(self, kernels):
        assert run() == "compiled"
        assert names(kernels) == ["code", "py"]
        assert run() == "loaded"
        assert names(kernels) == ["code", "py"]

    def test_each_function_and_each_kind_of_arrays(self, kernels):
        assert [again(), again(name="largest")] == ["compiled", "compiled"]
        assert [again(), again(name="largest")] == ["loaded", "loaded"]
        x, out = np.arange(3.0), np.empty(3)
        x.flags.writeable = False
        assert cache.kind_of((x, out)) != cache.kind_of((out, out))
        assert cache.load(SOURCE, "doubled")(x, out) == 6
        assert names(kernels) == ["code", "code", "code", "py"]

    def test_names_depend_on_text_versions_and_processor(self, monkeypatch):
        assert cache.digest("a") != cache.digest("b")
        before = cache.digest("a")
        monkeypatch.setattr(cache, "version", lambda package: "0.0")
        cache._circumstances.cache_clear()
        try:
            assert cache.digest("a") != before
        finally:
            cache._circumstances.cache_clear()

    def test_names_and_sources_are_the_same_under_any_hash_seed(self, kernels):
        outputs = {run(SEVERAL_LOSSES, PYTHONHASHSEED=seed) for seed in ("0", "1", "2")}
        assert len(outputs) == 1
        assert len(outputs.pop().split()) == 12

    def test_without_compiling_anything_or_loading_what_compiles(self, kernels):
        code = (
            PROGRAM
            + "print([m for m in ('numba.np.arraymath', 'scipy.linalg', 'sympy') if m in sys.modules])"
        )
        run()
        assert run(code).splitlines() == ["loaded", "[]"]

    def test_code_with_addresses_of_this_process_is_not_kept(self, kernels):
        large = SOURCE.replace("2 * x[i]", "LARGE[i] * x[i]").replace(
            "@njit", "LARGE = np.full(10**6, 2.0)\n\n@njit", 1
        )
        assert again(large) == "compiled"
        assert again(large) == "compiled"
        assert names(kernels) == ["py"]

    def test_a_source_is_executed_once_a_process(self, kernels):
        assert cache.load(SOURCE, "doubled") is cache.load(SOURCE, "doubled")


SEVERAL_LOSSES = """
import symgrad as sg
from symgrad.compile.cache import digest
from symgrad.errors import SymgradWarning
import warnings
warnings.simplefilter("ignore", SymgradWarning)
x, w, y = {"x": "n d"}, {"w": "d"}, {"y": "n"}
for loss, shapes in [
    ("np.sum((x @ w - y)**2)", {**x, **w, **y}),
    ("np.mean(np.log1p(np.exp(-y*(x @ w)))) + 0.1*np.sum(w**2)", {**x, **w, **y}),
    ("np.sum(np.tanh(x @ w)*y)", {**x, **w, **y}),
    ("np.max(w)", w),
    ("np.sum(np.abs(w[1:] - w[:-1]))", w),
    ("np.sum(np.where(w > 0, np.exp(w), w**3))", w),
    ("np.linalg.norm(w)", w),
    ("np.log(np.sum(np.exp(w)))", w),
    ("np.trace(np.linalg.inv(w))", {"w": "n n"}),
    ("np.sum(np.cumsum(w)*np.sort(w))", w),
    ("np.prod(w) + np.var(w)", {"w": "3"}),
    ("np.einsum('ij,j,i->', x, w, y)", {**x, **w, **y}),
]:
    print(digest(sg.derive(loss, shapes, "w").compile("float32").source))
"""


class TestDamage:
    @pytest.mark.parametrize("keep", [0, 10, 32, 33, 0.5, -1])
    def test_truncated_code_is_compiled_again(self, kernels, keep):
        again()
        (code,) = kernels.glob("*.code")
        whole = code.read_bytes()
        code.write_bytes(whole[: int(keep * len(whole)) if isinstance(keep, float) else keep])
        assert again() == "compiled"
        assert again() == "loaded"

    @pytest.mark.parametrize("place", [0, 31, 32, 5000, -1])
    def test_changed_code_is_compiled_again(self, kernels, place):
        again()
        (code,) = kernels.glob("*.code")
        content = bytearray(code.read_bytes())
        content[place] ^= 1
        code.write_bytes(content)
        assert again() == "compiled"
        assert again() == "loaded"

    def test_a_changed_source_is_neither_run_nor_kept(self, kernels):
        again()
        (source,) = kernels.glob("*.py")
        source.write_text("raise SystemExit('what lies in the folder is run')")
        assert again() == "loaded"
        assert source.read_text() == SOURCE

    def test_another_kernels_code_under_this_name_is_not_what_is_asked_for(self, kernels):
        """A digest says that a file is whole; names are the hash of everything else."""
        again()
        other = SOURCE.replace("2 * x[i]", "3 * x[i]")
        sys.modules.pop(f"symgrad_kernel_{cache.digest(other)}", None)
        assert value_of(other) == 9

    def test_a_folder_where_a_file_should_be(self, kernels):
        again()
        (code,) = kernels.glob("*.code")
        code.unlink()
        code.mkdir()
        with pytest.warns(CacheWarning, match="cannot be written to"):
            assert again() == "compiled"

    def test_a_link_is_not_followed(self, kernels, tmp_path):
        again()
        (code,) = kernels.glob("*.code")
        code.rename(tmp_path / "elsewhere")
        code.symlink_to(tmp_path / "elsewhere")
        assert again() == "compiled"
        assert not code.is_symlink()

    def test_the_folder_disappears(self, kernels):
        again()
        folder.clear(kernels)
        kernels.rmdir()
        assert again() == "compiled"
        assert again() == "loaded"


class TestWhose:
    @POSIX
    @pytest.mark.parametrize("mode", [0o777, 0o770, 0o702, 0o720])
    def test_a_folder_that_others_can_write_to(self, kernels, mode):
        kernels.mkdir()
        kernels.chmod(mode)
        with pytest.warns(CacheWarning, match="kernels cannot be used: other users can write to it"):
            assert folder.cache_folder() is None
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # it warns once
            assert again() == "compiled"
        assert list(kernels.iterdir()) == []

    @POSIX
    def test_a_folder_in_a_folder_that_others_can_write_to(self, kernels, tmp_path):
        tmp_path.chmod(0o777)
        with pytest.warns(CacheWarning, match=f"other users can write to {tmp_path}"):
            assert folder.cache_folder() is None
        folder.done_without.cache_clear()
        tmp_path.chmod(0o1777)  # there others cannot rename what is not theirs
        assert folder.cache_folder() == kernels

    @POSIX
    def test_a_folder_of_somebody_else(self, kernels, monkeypatch):
        kernels.mkdir()
        me = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: me + 1)
        with pytest.warns(CacheWarning, match="it belongs to another user"):
            assert folder.cache_folder() is None

    @POSIX
    def test_a_folder_above_of_somebody_else(self, kernels, tmp_path, monkeypatch):
        if os.geteuid() != 0:
            pytest.skip("only root can give a folder away")
        os.chown(tmp_path, 65534, 65534)
        with pytest.warns(CacheWarning, match=f"{tmp_path} belongs to another user"):
            assert folder.cache_folder() is None

    @POSIX
    def test_a_folder_above_of_a_group(self, kernels, tmp_path, monkeypatch):
        tmp_path.chmod(0o770)
        monkeypatch.setattr(folder, "_is_private", lambda group: group == tmp_path.stat().st_gid)
        assert folder.cache_folder() == kernels
        monkeypatch.setattr(folder, "_attributes", lambda place: ["system.posix_acl_access"])
        with pytest.warns(CacheWarning, match=f"other users can write to {tmp_path}"):
            assert folder.cache_folder() is None

    @POSIX
    def test_files_that_others_can_write_to_are_none(self, kernels):
        again()
        (code,) = kernels.glob("*.code")
        code.chmod(0o666)
        assert folder.read(code) is None
        assert again() == "compiled"
        assert code.stat().st_mode & 0o777 == 0o600

    @POSIX
    def test_files_of_others_are_none(self, kernels, monkeypatch):
        again()
        (code,) = kernels.glob("*.code")
        me = os.geteuid()
        assert folder.read(code) is not None
        monkeypatch.setattr(os, "geteuid", lambda: me + 1)
        assert folder.read(code) is None

    def test_what_is_checked_is_where_the_links_lead(self, kernels, tmp_path, monkeypatch):
        open_to_all = tmp_path / "open"
        (open_to_all / "mine").mkdir(parents=True)
        open_to_all.chmod(0o777)
        (tmp_path / "link").symlink_to(open_to_all / "mine")
        monkeypatch.setenv(folder.FOLDER, str(tmp_path / "link"))
        with pytest.warns(CacheWarning, match=f"other users can write to {open_to_all}"):
            assert folder.cache_folder() is None


class TestNoRoom:
    def test_a_folder_that_cannot_be_made(self, kernels, tmp_path, monkeypatch):
        (tmp_path / "file").write_text("in the way")
        monkeypatch.setenv(folder.FOLDER, str(tmp_path / "file"))
        with pytest.warns(CacheWarning) as caught:
            assert again() == "compiled"
        assert len(caught) == 1
        assert "kernels cannot be used: Not a directory" in str(caught[0].message)
        assert "set SYMGRAD_CACHE_DIR to a folder of your own" in str(caught[0].message)

    @POSIX
    def test_a_full_disk(self, kernels):
        code = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))\n" + PROGRAM
        output, messages = finish(start(code))
        assert output == "compiled"
        assert messages.count("CacheWarning") == 1
        assert "cannot be written to: File too large" in messages
        assert names(kernels) == ["py"]
        assert run() == "compiled"
        assert run() == "loaded"

    def test_a_folder_that_can_only_be_read(self, kernels, monkeypatch):
        again()

        def refuse(*args, **kwargs):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(folder.tempfile, "mkstemp", refuse)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert again() == "loaded"
        with pytest.warns(CacheWarning, match="cannot be written to: Permission denied") as caught:
            assert again(SOURCE + "\n") == "compiled"
        assert len(caught) == 1

    def test_there_is_no_home(self, monkeypatch):
        folder.done_without.cache_clear()
        monkeypatch.delenv(folder.FOLDER)
        monkeypatch.setattr("platformdirs.user_cache_dir", lambda *args, **kwargs: "~/.cache/symgrad")
        with pytest.warns(CacheWarning, match="there is no home folder"):
            assert folder.cache_folder() is None


class TestManyAtOnce:
    def test_processes(self, kernels):
        running = [start() for _ in range(16)]
        assert {finish(p)[0] for p in running} <= {"compiled", "loaded"}
        assert names(kernels) == ["code", "py"]
        assert run() == "loaded"

    @pytest.mark.parametrize("at", [1, 2])
    @pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="POSIX")
    def test_a_process_killed_while_it_writes(self, kernels, at):
        killed = f"""
import os, signal
calls = []
replace = os.replace
def die(*paths):
    calls.append(paths)
    if len(calls) == {at}:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(*paths)
os.replace = die
"""
        process = start(killed + PROGRAM)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        (left,) = (p for p in kernels.iterdir() if p.name.startswith(folder.TEMPORARY))
        assert run() == "compiled"
        assert run() == "loaded"
        assert left.exists()  # it may be another process's that is still at work
        os.utime(left, (time.time() - 7200,) * 2)
        folder.sweep(kernels)
        assert names(kernels) == ["code", "py"]

    def test_threads(self, kernels):
        """One kernel, and several, compiled and called from threads at once."""
        sources = [SOURCE + "\n" * (1 + i % 3) for i in range(9)]
        ready, values = threading.Barrier(len(sources)), []

        def work(source):
            ready.wait()
            for _ in range(50):
                values.append(value_of(source))

        threads = [threading.Thread(target=work, args=(s,)) for s in sources]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert values == [6.0] * 450

    def test_a_spawned_process_after_a_kernel_ran(self, kernels):
        import symgrad as sg

        kernel = sg.derive("np.sum((w - 3)**2)", {"w": "n"}, "w").compile()
        arrays = {"w": np.arange(3.0)}
        assert kernel(arrays)[0] == 14
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            for value, grads in pool.map(kernel, [arrays, arrays]):
                assert value == 14
                np.testing.assert_array_equal(grads["w"], [-6, -4, -2])


class TestSize:
    def fill(self, kernels, count, size, now):
        kernels.mkdir(exist_ok=True)
        for i in range(count):
            path = kernels / f"k{i:032x}.f.{0:016x}.code"
            path.write_bytes(bytes(size))
            os.utime(path, (now - count + i,) * 2)

    def test_what_was_not_used_for_longest_goes_first(self, kernels, monkeypatch):
        monkeypatch.setenv(folder.LIMIT, "1")
        self.fill(kernels, 5, 300_000, time.time() - 100)
        folder.touch(kernels / f"k{0:032x}.f.{0:016x}.code")
        folder.sweep(kernels)
        assert [int(p.name[1:33], 16) for k in folder.stored(kernels) for p in k.paths] == [3, 4, 0]

    def test_writing_keeps_within_the_limit(self, kernels, monkeypatch):
        monkeypatch.setenv(folder.LIMIT, "1")
        self.fill(kernels, 9, 200_000, time.time() - 100)
        assert again() == "compiled"
        found = folder.stored(kernels)
        assert sum(k.bytes for k in found) <= 1_000_000
        assert again() == "loaded"

    def test_the_kernel_in_use_stays(self, kernels, monkeypatch):
        self.fill(kernels, 3, 2_000_000, time.time())
        monkeypatch.setenv(folder.LIMIT, "1")
        folder.sweep(kernels)
        assert len(folder.stored(kernels)) == 1

    def test_other_files_are_left_alone(self, kernels):
        kernels.mkdir()
        (kernels / "notes.txt").write_text("mine")
        again()
        assert folder.clear(kernels) == 1
        assert [p.name for p in kernels.iterdir()] == ["notes.txt"]

    def test_no_room_at_all_switches_it_off(self, kernels, monkeypatch):
        monkeypatch.setenv(folder.LIMIT, "0")
        assert again() == "compiled"
        assert not kernels.exists()

    @pytest.mark.parametrize("text", ["much", "-1", "1.5"])
    def test_the_limit_is_a_number(self, monkeypatch, text):
        monkeypatch.setenv(folder.LIMIT, text)
        with pytest.raises(SpecError, match="whole number of megabytes") as caught:
            folder.cache_folder()
        assert "SYMGRAD_CACHE_MB" in str(caught.value)
        assert text in str(caught.value)

    def test_a_file_removed_between_two_looks(self, kernels, monkeypatch):
        self.fill(kernels, 3, 10, time.time())
        scandir = os.scandir

        class Racing:
            def __init__(self, place):
                self.entries = list(scandir(place))
                for path in Path(place).iterdir():
                    path.unlink()

            def __enter__(self):
                return iter(self.entries)

            def __exit__(self, *exc):
                pass

        monkeypatch.setattr(os, "scandir", Racing)
        assert folder.stored(kernels) == []


PROMPT = """
import numpy as np
import symgrad as sg
def forward(x, w):
    return x @ w

def loss(p, y):
    return ((p - y)**2).sum()

x, w, y = np.arange(6.0).reshape(3, 2), np.ones(2), np.ones(3)
r = sg.minimize(loss, {"w": w}, {"x": x, "y": y}, sg.optim.SGD(lr=0.01), 50, given={"p": forward})
k = sg.derive(loss, {"x": "n d", "w": "d", "y": "n"}, wrt="w", given={"p": forward}).compile()
value, grads = k(x=x, w=w, y=y)
print(value == ((x @ w - y)**2).sum() == r.losses[0], np.allclose(grads["w"], 2*x.T @ (x @ w - y)))
"""


class TestAtAPrompt:
    """Functions whose source is in no file, as in notebooks and interactive sessions."""

    def test_python_c(self, kernels):
        assert run(PROMPT) == "True True"
        assert run(PROMPT) == "True True"
        assert names(kernels) == ["code", "code", "py", "py"]

    def test_an_interactive_session(self, kernels):
        session = subprocess.run(
            [sys.executable, "-W", "error", "-i", "-q"],
            input=PROMPT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert session.stdout.split() == ["True", "True"], session.stderr
        assert names(kernels) == ["code", "code", "py", "py"]

    def test_a_notebook(self, kernels, capsys):
        """A cell is compiled under a name that only ``linecache`` knows, and is changed and run again."""
        namespace: dict = {"__name__": "__main__"}
        for number, text in enumerate(
            (PROMPT, PROMPT.replace("**2", "**4").replace("2*x.T @ (x @ w - y)", "4*x.T @ (x @ w - y)**3"))
        ):
            name = f"/tmp/ipykernel_1/{number}.py"
            linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
            exec(compile(text.replace("lr=0.01", "lr=1e-4"), name, "exec"), namespace)
            assert capsys.readouterr().out.split() == ["True", "True"]
        assert len(list(kernels.glob("*.py"))) == 4


def test_other_files_in_the_folder_are_nobodys_to_remove(kernels, monkeypatch):
    kernels.mkdir(mode=0o700)
    own = [kernels / name for name in ("kmeans.cu", "knn.py", "k" + 32 * "0" + ".txt", ".known")]
    for path in own:
        path.write_bytes(b"x" * 2_000_000)
    monkeypatch.setenv(folder.LIMIT, "1")
    folder.sweep(kernels)
    assert folder.stored(kernels) == []
    assert folder.clear(kernels) == 0
    assert all(path.exists() for path in own)
