# SPDX-License-Identifier: MIT
"""Waiting for the library so that Ctrl-C works, and transforms in threads.

A call into C cannot be interrupted, a wait for a thread can. So a thread of its own asks the library for each batch, when
it is wanted; what it gets stays here when the wait for it was interrupted, and the next one to ask is given it."""
import errno
import queue
import threading

from ._errors import error

END = object()


class Item:
    """What a fetch gave: a value, END or an exception, and the position behind it."""
    __slots__ = ("value", "problem", "state")

    def __init__(self, value=None, problem=None, state=None):
        self.value, self.problem, self.state = value, problem, state


def attempt(fetch):
    try:
        value, state = fetch()
        return Item(value, None, state)
    except BaseException as problem:  # noqa: B902 - it is raised where the item is taken
        return Item(None, problem)


def _canceled():
    return Item(None, error(errno.ECANCELED, "the loader was closed"))


def applied(transform, batch):
    """What a transform makes of a batch. StopIteration would end the program's loop as if the epoch were over."""
    try:
        return transform(batch)
    except StopIteration as problem:
        raise RuntimeError("the transform raised StopIteration") from problem


class _Request:
    """What was asked for. A bare lock, as Ctrl-C between two steps of an Event would leave that locked for ever."""
    __slots__ = ("item", "asked", "done", "_waits")

    def __init__(self):
        self.item, self.asked, self.done, self._waits = None, False, False, threading.Lock()
        self._waits.acquire()

    def answer(self, item):
        self.item, self.done = item, True
        self._waits.release()

    def wait(self, patience):
        """False when there is no answer within `patience` seconds (None: for ever)."""
        return self.done or self._waits.acquire(timeout=-1 if patience is None else patience) or self.done


class Single:
    """Items one by one, each fetched when it is asked for."""

    def __init__(self, fetch):
        self._asks, self._request = queue.SimpleQueue(), None
        self._closed, self._gate = False, threading.Lock()
        self._thread = threading.Thread(target=self._serve, args=(fetch, self._asks), name="pitcrew-next", daemon=True)
        self._thread.start()

    @staticmethod
    def _serve(fetch, asks):
        while True:
            request = asks.get()
            if request is None:
                return
            if not request.done:  # else it was asked for twice: Ctrl-C came just behind the first time
                request.answer(attempt(fetch))
            del request  # not kept while waiting: it holds memory of the loader

    def take(self, patience=None):
        """The next item; None when it did not come within `patience` seconds. May be interrupted and called again: what was
        asked for stays until the last step, behind which nothing is called."""
        with self._gate:  # nobody serves what is asked behind the end
            request = self._request
            if self._closed and (request is None or not request.asked):
                return _canceled()
            if request is None:
                request = self._request = _Request()
            if not request.asked:
                self._asks.put(request)
                request.asked = True
        if not request.wait(patience):
            return None
        self._request = None
        return request.item

    def drop(self, patience):
        """Throws away what was asked for and not taken; False when it does not come within `patience` seconds."""
        return self._request is None or self.take(patience) is not None

    def stop(self):
        """Ends the thread as soon as the fetch under way returns."""
        with self._gate:
            self._closed = True
            self._asks.put(None)

    def join(self):
        self.stop()
        if self._thread is not threading.current_thread():
            self._thread.join()


class Ahead:
    """Items whose values went through `transform` in threads, in the order of fetching; at most `limit` are fetched and
    not yet taken."""

    def __init__(self, fetch, transform, threads, limit):
        self._fetch, self._transform, self._limit = fetch, transform, limit
        self._fetching = threading.Lock()
        self._changed = threading.Condition()
        self._done, self._fetched, self._taken, self._running, self._closed = {}, 0, 0, False, False
        self._busy, self._waiting, self._kept = 0, False, None
        self._threads = [threading.Thread(target=self._work, name=f"pitcrew-transform-{n}", daemon=True) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def _turn(self):
        """Waits until something may be fetched; its number, or None at the end."""
        with self._changed:
            while not self._closed and not (self._running and self._fetched - self._taken < self._limit):
                self._changed.wait()
            if self._closed:
                return None
            self._fetched += 1
            self._busy += 1
            return self._fetched - 1

    def _may_wait(self, item):
        """All memory is in use, but not for ever: a transform is at work, or results wait for a program that is busy."""
        if getattr(item.problem, "errno", None) != errno.ENOBUFS:
            return False
        with self._changed:
            return self._running and not self._closed and (self._busy > 1 or bool(self._done) or not self._waiting)

    def _work(self):
        while True:
            with self._fetching:
                number = self._turn()
                if number is None:
                    return
                item = attempt(self._fetch)
                while self._may_wait(item):
                    item = attempt(self._fetch)
                if item.problem is not None or item.value is END:
                    with self._changed:
                        self._running = self._running and item.value is not END
            self._finish(number, item)
            del item  # not kept while waiting: it holds memory of the loader

    def _finish(self, number, item):
        if item.problem is None and item.value is not END:
            batch, item.value = item.value, None
            try:
                item.value = applied(self._transform, batch)
            except BaseException as problem:  # noqa: B902 - it is raised where the item is taken
                item.problem = problem
            del batch
        with self._changed:
            self._done[number] = item
            self._busy -= 1
            self._changed.notify_all()

    def take(self):
        if self._kept is not None:
            return self._give()
        with self._changed:
            self._running = self._waiting = True
            self._changed.notify_all()
            try:
                self._changed.wait_for(lambda: self._taken in self._done or self._closed)
            finally:
                self._waiting = False
            if self._closed:
                return _canceled()
            self._kept = self._done[self._taken]  # until the last step: Ctrl-C may come with each call
            del self._done[self._taken]
            self._taken += 1
            self._changed.notify_all()
        return self._give()

    def _give(self):
        item, self._kept = self._kept, None
        return item

    def drop(self, patience):
        """Stops fetching and throws away what is done or under way; False when it takes longer than `patience` seconds."""
        with self._changed:
            self._running, self._kept = False, None
            self._done.clear()
            idle = self._changed.wait_for(lambda: not self._busy, patience)
            self._done.clear()
            self._taken = self._fetched
            return idle

    def stop(self):
        with self._changed:
            self._closed = True
            self._done.clear()
            self._changed.notify_all()

    def join(self):
        self.stop()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()
