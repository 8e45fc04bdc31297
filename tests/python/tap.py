"""What the tests of the Python package have in common: TAP, a folder of their own, the package of this tree over the library
of this build (the first argument, a file, or $PITCREW_LIBRARY)."""
import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.realpath(__file__))
TREE = os.path.realpath(os.path.join(HERE, "..", ".."))
PYTHON = "/usr/bin/python3"  # the one that torch and numpy are packaged for

if os.path.exists(PYTHON) and "PITCREW_TEST_PYTHON" not in os.environ:
    os.environ["PITCREW_TEST_PYTHON"] = PYTHON
    if os.path.realpath(sys.executable) != os.path.realpath(PYTHON):
        os.execv(PYTHON, [PYTHON, *sys.argv])

sys.dont_write_bytecode = True
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
os.environ["PYTHONPATH"] = os.path.join(TREE, "python") + os.pathsep + HERE
sys.path.insert(0, os.path.join(TREE, "python"))
if len(sys.argv) > 1 and "libpitcrew" in sys.argv[1]:
    os.environ["PITCREW_LIBRARY"] = os.path.abspath(sys.argv[1])

# "torch,numpy": these cannot be imported; for running a test again where they are missing.
for missing in filter(None, os.environ.get("PITCREW_TEST_WITHOUT", "").split(",")):
    sys.modules[missing] = None

_count = _bad = 0
_main = os.getpid()


def folder(where=None):
    """A new directory, in `where` if it can be made there, that goes away at the end."""
    where = where if where and os.access(where, os.W_OK) else None
    path = tempfile.mkdtemp(prefix="pitcrew-python-", dir=where)
    atexit.register(lambda: os.getpid() == _main and shutil.rmtree(path, ignore_errors=True))
    return path


def ok(good, name, *why):
    global _count, _bad
    _count += 1
    print(f"{'ok' if good else 'not ok'} {_count} - {name}", flush=True)
    if not good:
        _bad += 1
        for text in why:
            for line in str(text).splitlines():
                print(f"#   {line}", flush=True)
    return good


def skip(name, why):
    global _count
    _count += 1
    print(f"ok {_count} - {name} # SKIP {why}", flush=True)


class Skip(Exception):
    """A test that cannot be done here."""


def equal(got, wanted, what="value"):
    if got != wanted:
        raise AssertionError(f"{what}: {got!r:.300} is not {wanted!r:.300}")


def raises(kind, words, function, *arguments, **options):
    """The exception that is raised; its text has the words."""
    try:
        function(*arguments, **options)
    except kind as problem:
        for word in [words] if isinstance(words, str) else words:
            if word not in str(problem):
                raise AssertionError(f"{type(problem).__name__} says {str(problem)!r}, not {word!r}") from problem
        return problem
    raise AssertionError(f"no {kind.__name__} was raised")


def run(tests, label=""):
    """Runs functions; a docstring is the test's name."""
    for test in tests:
        begin = time.monotonic()
        name = label + (test.__doc__ or test.__name__).split("\n")[0]
        try:
            test()
        except Skip as why:
            skip(name, why)
        except BaseException as problem:  # noqa: B902 - a test that is interrupted has failed
            ok(False, name, traceback.format_exc())
            if isinstance(problem, KeyboardInterrupt):
                break
        else:
            ok(True, name)
        if time.monotonic() - begin > 5:
            print(f"# {time.monotonic() - begin:.0f} s", flush=True)


def again(without, seconds=240):
    """Runs this program once more where the modules `without` cannot be imported, as part of this one's results."""
    global _count, _bad
    env = dict(os.environ, PITCREW_TEST_WITHOUT=",".join(without))
    done = subprocess.run([sys.executable, *sys.argv], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds)
    for line in done.stdout.splitlines():
        if line.startswith(("ok ", "not ok ")):
            _count += 1
            verdict, _, rest = line.partition(" - ")
            _bad += verdict.startswith("not")
            print(f"{verdict.rsplit(' ', 1)[0]} {_count} - {rest}, without {' and '.join(without)}" if "# SKIP" not in rest else
                  f"ok {_count} - {rest}", flush=True)
        elif not line.startswith("1.."):
            print(line if line.startswith("#") else "#   " + line, flush=True)
    if done.returncode not in (0, 1):
        ok(False, f"without {' and '.join(without)}: exit code {done.returncode}", done.stdout[-2000:])


def without():
    """Modules that are hidden in this run."""
    return [name for name in os.environ.get("PITCREW_TEST_WITHOUT", "").split(",") if name]


def open_files():
    return len(os.listdir("/proc/self/fd"))


def done():
    print(f"1..{_count}", flush=True)
    sys.exit(1 if _bad else 0)
