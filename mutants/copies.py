"""Copies of the repository, which mutants are put into: never into the files of the person."""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import psutil

from project.paths import Tree

COPIES = 2


@contextmanager
def copies(tree: Tree) -> Iterator[list[Tree]]:
    """Give copies of the working tree, as it is now; they are removed, however this is left."""
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as folder:
        made = [Tree(Path(folder).resolve() / str(number)) for number in range(COPIES)]
        for copy in made:
            _copy(tree, copy)
        try:
            yield made
        finally:
            _end_all_in(Path(folder).resolve())


def _end_all_in(folder: Path) -> None:
    """End every process that works in a folder, whichever session it has made for itself."""
    while found := [process for process in psutil.process_iter() if _works_in(process, folder)]:
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(found)


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()).is_relative_to(
            folder
        )
    except psutil.Error:
        # Somebody else's, or gone.
        return False


def _copy(tree: Tree, to: Tree) -> None:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=tree.root, capture_output=True, text=True, check=True)
    own = (tree.package.relative_to(tree.root).as_posix(), *listed.stdout.split("\0"))
    for name in filter(None, own):
        source, target = tree.root / name, to.root / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    to.venv.symlink_to(tree.venv)
    # What is large is shared, and only ever read; what Terraform keeps is each copy's own.
    to.tools.mkdir()
    for tool in ("bin", "libexec", "terraform.rc"):
        if (tree.tools / tool).exists():
            (to.tools / tool).symlink_to(tree.tools / tool)


@contextmanager
def replaced(copy: Tree, file: str, content: str, number: int) -> Iterator[None]:
    """Have other content in a file of a copy for a while.

    `number` is 1 or more, and another one each time: Python takes compiled code for current that
    was made of a file of the same size and the same second.
    """
    path = copy.root / file
    original, stat = path.read_bytes(), path.stat()
    path.write_text(content)
    os.utime(path, (number, number))
    try:
        yield
    finally:
        path.write_bytes(original)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


Place = TypeVar("Place")
Thing = TypeVar("Thing")
Made = TypeVar("Made")


def spread(
    things: Iterable[Thing], places: Sequence[Place], work: Callable[[Place, Thing], Made]
) -> list[Made]:
    """Do work for each thing, in one of the places that is free, and give what came of each."""
    free: queue.SimpleQueue[Place] = queue.SimpleQueue()
    for place in places:
        free.put(place)

    def done(thing: Thing) -> Made:
        place = free.get()
        try:
            return work(place, thing)
        finally:
            free.put(place)

    pool = ThreadPoolExecutor(len(places))
    try:
        return list(pool.map(done, things))
    finally:
        # What is under way then is ended with the copies that it is in.
        pool.shutdown(wait=False, cancel_futures=True)
