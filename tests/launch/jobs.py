"""Jobs under `pitcrew run` for tests: each is marked by a variable in its environment, so that what it leaves behind is
found, whoever is its parent now. Nothing outlives a test."""
import os
import signal
import subprocess
import sys
import time
import uuid

pitcrew = os.path.abspath(sys.argv[1])
count = failures = 0


def marked(mark):
    """pid -> command line of the processes with this mark that are no zombies."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as f:
                if mark not in f.read():
                    continue
            with open(f"/proc/{name}/stat") as f:
                if f.read().rsplit(")", 1)[1].split()[0] in "ZX":
                    continue
            with open(f"/proc/{name}/cmdline", "rb") as f:
                found[int(name)] = f.read().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            pass
    return found


def until(condition, seconds=20):
    """What the condition says at last: true as soon as it is, else after so many seconds."""
    end = time.monotonic() + seconds
    while not (said := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return said


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return [int(p) for p in f.read().split()]
    except OSError:
        return []


def state(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0]
    except OSError:
        return None


class Job:
    def __init__(self, options, command, wrap=(), **popen):
        self.mark = f"PITCREW_TEST_MARK={uuid.uuid4()}".encode()
        env = dict(os.environ, PITCREW_TEST_MARK=self.mark.decode().split("=")[1], LC_ALL="C.UTF-8")
        env.update(popen.pop("env", {}))
        popen = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **popen}
        argv = [*wrap, pitcrew, "run", *options, "--", *command]
        self.process = subprocess.Popen(argv, env=env, **popen)
        self.pid = self.process.pid

    def supervisor(self):
        found = until(lambda: [p for p in children(self.pid) if children(p)])
        return found[0] if found else 0

    def leaders(self, number=1):
        """Once so many are started and have become the command."""
        def started():
            own = [p for p in children(self.supervisor()) if self.is_command(p)]
            return own if len(own) >= number else None
        return until(started) or []

    @staticmethod
    def is_command(pid):
        try:
            with open(f"/proc/{pid}/comm") as f:
                return not f.read().startswith(("pitcrew", "pit-crew"))
        except OSError:
            return False

    def signal(self, number):
        os.kill(self.pid, number)

    def end(self, seconds=40):
        """(exit code, stdout, stderr); the code of a shell when it was a signal."""
        try:
            out, err = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.clean()
            out, err = self.process.communicate()
            return None, (out or b"").decode(), (err or b"").decode()
        code = self.process.returncode
        return code if code >= 0 else 128 - code, (out or b"").decode(), (err or b"").decode()

    def left(self, seconds=0):
        """What is left after so many seconds at most."""
        until(lambda: not marked(self.mark), seconds)
        return marked(self.mark)

    def clean(self):
        for pid in marked(self.mark):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass


def ok(good, name, *why):
    global count, failures
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {name}", flush=True)
    if not good:
        failures += 1
        for text in why:
            for line in str(text).splitlines() or [""]:
                print(f"#   {line}", flush=True)


def skip(name, why):
    global count
    count += 1
    print(f"ok {count} - {name} # SKIP {why}", flush=True)


def check(job, name, code, says=(), grace=0, seconds=40):
    """Waits for the end; the code, words of stderr, and that nothing is left. Returns what it said."""
    got, out, err = job.end(seconds)
    left = job.left(grace)
    flat = " ".join((out + err).split())  # where a report breaks its lines depends on numbers in it
    missing = [word for word in says if word not in out + err and " ".join(word.split()) not in flat]
    ok(got == code and not left and not missing, name, f"exit code {got}, not {code}", f"left: {left}",
       f"not said: {missing}", "stdout: " + out[-2000:], "stderr: " + err[-2000:])
    job.clean()
    return out, err


def done():
    print(f"1..{count}")
    sys.exit(1 if failures else 0)
