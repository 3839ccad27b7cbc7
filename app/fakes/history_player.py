"""The demo's history beside the running service: a thread and a progress bar."""

import threading

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from app.core.db import Database, DatabaseDown
from app.core.log import log
from app.fakes.history import History, Stopped


class Player:
    """The history in a thread of its own, beside the running service."""

    def __init__(self, database: Database, console: Console) -> None:
        self._history = History(database)
        self._console = console
        self._thread = threading.Thread(target=self._run, name="demo-history", daemon=True)

    def start(self) -> None:
        """Begin, or go on where the last run was stopped."""
        self._thread.start()

    def stop(self) -> None:
        """End after the step at hand."""
        self._history.halt()
        self._thread.join(10)

    def _run(self) -> None:
        try:
            while True:
                try:
                    _with_bar(self._history, self._console)
                    return
                except DatabaseDown as error:
                    log.warning("demo history", code=error.code)
                    self._history.pause()
        except Stopped:
            pass
        except Exception as error:
            log.error("demo history", error=type(error).__name__, exc_info=error)


def start(database: Database, console: Console) -> Player:
    """Play the history in a thread, with a progress bar."""
    player = Player(database, console)
    player.start()
    return player


def load(database: Database, console: Console) -> None:
    """Play the history here and now, with a progress bar."""
    _with_bar(History(database), console)


def _with_bar(history: History, console: Console) -> None:
    """Show a bar on a terminal, else a line at each quarter."""
    total = len(history.steps)
    if history.done >= total:
        return
    if not console.is_terminal:
        quarters = {total * part // 4: f"History: {part * 25} %" for part in range(1, 5)}
        history.play(progress=lambda done: console.print(quarters[done]) if done in quarters else None)
        return
    percent = TextColumn("{task.percentage:.0f} %")
    with Progress(
        TextColumn("90 days of history"), BarColumn(), percent, TimeRemainingColumn(), console=console
    ) as bar:
        task = bar.add_task("history", total=total, completed=history.done)
        history.play(progress=lambda done: bar.update(task, completed=done))
