"""Two OpenMP runtimes in one process: what is recognized, what is survived, what is advised."""

from __future__ import annotations

import json
import mmap
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsl_tutorial.course.cli import openmp
from gsl_tutorial.course.cli.openmp import Meeting, Runtime, advise, mapped, meet, recognize

SITE = "/env/lib/python3.11/site-packages"
on_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="memory maps are a file on Linux only"
)


def names(*paths: str) -> list[str]:
    return [str(one) for one in recognize(paths)]


@pytest.mark.parametrize(
    ("path", "runtime"),
    [
        (f"{SITE}/torch/lib/libgomp.so.1", "libgomp (torch)"),
        (f"{SITE}/faiss_cpu.libs/libgomp-e985bcbb.so.1.0.0", "libgomp (faiss_cpu)"),
        (f"{SITE}/sklearn/.dylibs/libomp.dylib", "libomp (sklearn)"),
        ("/opt/conda/lib/libiomp5.so", "libiomp5 (/opt/conda/lib)"),
        ("/usr/lib/llvm-14/lib/libomp.so.5", "libomp (/usr/lib/llvm-14/lib)"),
        ("/opt/homebrew/lib/libgomp.1.dylib", "libgomp (/opt/homebrew/lib)"),
        (r"C:\env\Lib\site-packages\torch\lib\libiomp5md.dll", "libiomp5 (torch)"),
        (r"C:\env\Library\bin\libomp140.x86_64.dll", r"libomp (C:\env\Library\bin)"),
        (r"C:\Windows\System32\VCOMP140.DLL", r"vcomp (C:\Windows\System32)"),
        (f"{SITE}/libomp.so", f"libomp ({SITE})"),
        ("libomp.so", "libomp (.)"),
    ],
)
def test_a_runtime_by_its_name(path: str, runtime: str) -> None:
    assert names(path) == [runtime]


@pytest.mark.parametrize(
    "name",
    [
        "libompd.so", "libomptarget.so.14", "libiompstubs5.so", "libgomp-plugin-nvptx.txt",
        "libgomp.so.1-gdb.py", "omppool.cpython-311-x86_64-linux-gnu.so", "mylibomp.so", "libomp.so/",
        "libomp", "libomp.a", "", "/", "\0", "libomp.so\n", "libomp.so.debug/x", "\udcff",
    ],
)  # fmt: skip
def test_what_only_looks_like_one(name: str) -> None:
    found = names(f"/lib/{name}" if name else name)
    assert found == (["libomp (/lib)"] if name == "libomp.so/" else [])


def test_two_names_of_one_file_are_one_copy(tmp_path: Path) -> None:
    """As conda has it, whose libgomp and libiomp5 may be links to LLVM's runtime."""
    (tmp_path / "libomp.so").write_bytes(b"")
    for other in ("libgomp.so.1", "libiomp5.so"):
        (tmp_path / other).symlink_to("libomp.so")
    (tmp_path / "libgomp.so").symlink_to("libgomp.so")  # a link to itself
    paths = [str(tmp_path / name) for name in ("libiomp5.so", "libgomp.so.1", "libomp.so")]
    assert recognize(paths) == (Runtime("libomp", str(tmp_path)),)
    assert names(str(tmp_path / "libgomp.so")) == [f"libgomp ({tmp_path})"]


@given(st.lists(st.text()))
def test_no_name_is_too_odd(paths: list[str]) -> None:
    recognize(paths)
    mapped("\n".join(paths))
    assert len(recognize([*paths, f"{SITE}/torch/lib/libgomp.so.1"])) >= 1


def test_lines_that_no_kernel_writes_are_passed_over() -> None:
    line = "7f00-7f01 r-xp 00000000 08:01 12    /a b/libomp.so"
    odd = ["", "7f00", "7f00-7f01 r-xp 0 0 0", "a b c d e [heap]", "a b c d e f", "\0" * 9]
    assert mapped("\n".join([*odd, line, line, f"{line} (deleted)"])) == ["/a b/libomp.so"]


@on_linux
def test_the_kernel_is_read_as_it_writes(tmp_path: Path) -> None:
    """A file that is mapped shows, with a space or a line's end in its path, and when it is gone."""
    for folder in ("plain", "with space", "with\nline"):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "libomp.so"
        path.write_bytes(bytes(mmap.PAGESIZE))
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ):
            loaded = openmp._loaded() or []
            path.unlink()
            without = openmp._loaded() or []
        shown = str(path).replace("\n", r"\012")
        assert shown in loaded
        assert shown in without


def test_where_the_maps_cannot_be_read_threadpoolctl_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(openmp, "_MAPS", tmp_path / "absent")
    (tmp_path / "threadpoolctl.py").write_text(
        "def threadpool_info(): return [{'filepath': 'a'}]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "threadpoolctl", raising=False)
    assert openmp._loaded() == ["a"]
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    assert openmp._loaded() is None


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder whose torch, faiss and scikit-learn are found first, and do nothing."""
    for name in ("torch", "faiss", "sklearn"):
        (tmp_path / f"{name}.py").write_text("")
    paths = [str(tmp_path), str(Path(openmp.__file__).parents[3])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    monkeypatch.delenv("KMP_DUPLICATE_LIB_OK", raising=False)
    return tmp_path


def loads(folder: Path, package: str, library: str, *more: str) -> None:
    """Let a package keep a file of this name in memory, as if it were its library."""
    path = folder / package / library
    path.parent.mkdir()
    path.write_bytes(bytes(mmap.PAGESIZE))
    lines = [
        "import mmap, os, sys",
        f"file = open({str(path)!r}, 'rb')",
        "kept = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)",
        *more,
    ]
    (folder / f"{package}.py").unlink()
    (path.parent / "__init__.py").write_text("\n".join(lines))


@on_linux
def test_two_of_a_family_are_told_though_nothing_has_happened_yet(
    packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads(packages, "torch", "libomp.so", "print('torch greets', end='')")
    loads(packages, "faiss", "libiomp5.so")
    loads(packages, "sklearn", "libgomp-1234abcd.so.1.0.0")
    meeting = meet()
    assert not meeting.end
    assert {one.name for one in meeting.runtimes} == {"libomp", "libiomp5", "libgomp"}
    level, text, todo = advise(meeting)
    assert level == "note"
    assert "KMP_DUPLICATE_LIB_OK" not in text
    assert "conda-forge" in todo
    monkeypatch.setenv("KMP_DUPLICATE_LIB_OK", "TRUE")
    assert "only hides it" in advise(meeting)[1]


@on_linux
def test_a_process_that_openmp_ends(packages: Path) -> None:
    loads(packages, "torch", "libomp.so")
    loads(
        packages,
        "faiss",
        "libiomp5.so",
        "print('OMP: Error #15: Initializing this, but found libomp.so.', file=sys.stderr)",
        "sys.stderr.flush()",
        "os.abort()",
    )
    level, text, todo = advise(meet())
    assert level == "problem"
    told = "died: OMP: Error #15: Initializing this, but found libomp.so, when it imported faiss"
    assert f"{told}; loaded: libomp" in text
    assert "libiomp5" not in text  # nobody could look any more
    assert "conda-forge" in todo


@on_linux
def test_a_process_that_dies_in_its_first_loop(packages: Path) -> None:
    loads(packages, "torch", "libomp.so")
    loads(packages, "faiss", "libomp.so", "def IndexFlatL2(size): os.kill(os.getpid(), 11)")
    meeting = meet()
    assert meeting.loaded
    assert meeting.end == "died: signal 11, when it used faiss"
    assert len(meeting.runtimes) == 2
    assert "conda-forge" in advise(meeting)[2]


def test_a_death_that_has_nothing_to_do_with_it(packages: Path) -> None:
    (packages / "faiss.py").write_text("import os\nos._exit(3)\n")
    meeting = meet()
    assert meeting.end == "died: exit status 3, when it imported faiss"
    level, _, todo = advise(Meeting((), False, meeting.end))
    assert level == "problem"
    assert "one by one" in todo


def test_missing_and_broken_packages_are_not_its_business(packages: Path) -> None:
    (packages / "torch.py").write_text("raise OSError('libtorch.so: no such file')\n")
    (packages / "faiss.py").write_text("raise ImportError('no faiss')\n")
    assert not meet().end


def test_a_python_that_does_not_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "absent"))
    level, text, todo = advise(meet())
    assert level == "problem"
    assert "could not be started" in text
    assert todo


def test_a_process_that_waits_for_ever(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its time is up at once here: what it has said until then does not matter."""
    (packages / "sklearn.py").write_text("import threading\nthreading.Event().wait()\n")
    monkeypatch.setattr(openmp, "_PATIENCE", 0)
    assert meet().end.startswith("had not finished after 0 seconds")


@pytest.mark.parametrize(
    "output",
    [b"", b"\xff\xfe", b"openmp runtimes: [", b"openmp runtimes: null", b"openmp runtimes:"],
)
def test_what_the_process_says_may_be_cut(output: bytes) -> None:
    assert not openmp._read(output, "died: signal 9").loaded
    assert openmp._read(output + b"\nopenmp works\n", "died: signal 11").end == ""
    before = b'openmp runtimes: ["/a/libomp.so"]\n'
    kept = openmp._read(before + output, "died: signal 9")
    assert (kept.loaded, kept.end) == (True, "died: signal 9")


def test_what_lies_in_the_folders_counts_where_nothing_was_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site = tmp_path / "site-packages"
    for path in ("torch/lib/libomp.dylib", "sklearn/.dylibs/libomp.dylib", "faiss_cpu.libs/a.so"):
        (site / path).parent.mkdir(parents=True)
        (site / path).write_bytes(b"")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libiomp5.so").write_bytes(b"")
    monkeypatch.setattr(sys, "path", [str(site), str(tmp_path / "absent"), str(site), ""])
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    meeting = openmp._read(b"", "died: signal 6")
    conda = f"libiomp5 ({tmp_path / 'lib'})"
    assert sorted(map(str, meeting.runtimes)) == sorted(
        ["libomp (sklearn)", "libomp (torch)", conda]
    )
    assert "in their folders" in advise(meeting)[1]


@pytest.mark.parametrize(("system", "pip"), [("linux", True), ("darwin", False), ("win32", False)])
def test_the_wheels_of_pip_share_a_family_on_linux_only(
    monkeypatch: pytest.MonkeyPatch, system: str, pip: bool
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    both = (Runtime("libomp", "torch"), Runtime("libomp", "faiss"))
    assert ("all with pip" in advise(Meeting(both))[2]) is pip


def test_copies_of_gnus_runtime_get_along() -> None:
    copies = (Runtime("libgomp", "torch"), Runtime("libgomp", "faiss"), Runtime("libomp", "x"))
    assert advise(Meeting(copies))[0] == "ok"
    assert advise(Meeting(copies[:1])) == ("ok", "libgomp (torch)", "")
    assert advise(Meeting(())) == ("ok", "none", "")
    assert advise(Meeting(copies, loaded=False))[0] == "ok"


def test_this_environment_works() -> None:
    meeting = meet()
    assert not meeting.end
    assert json.loads(json.dumps(advise(meeting)))[0] != "problem"
