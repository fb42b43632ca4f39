"""Deploying an estate: pyinfra in this process, all hosts side by side.

The native way, ``pyinfra inventories/norway/hosts.py deploy/site.py``, does the same for one inventory.
"""

from __future__ import annotations

import logging
import runpy
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import gevent
from gevent import monkey
from paramiko import SSHException
from pyinfra.api.config import Config
from pyinfra.api.exceptions import ConnectError, NestedOperationError, PyinfraError
from pyinfra.api.host import Host as Target
from pyinfra.api.inventory import Inventory
from pyinfra.api.operation import OperationMeta
from pyinfra.api.state import BaseStateCallback, State, StateStage
from pyinfra.context import ctx_config, ctx_host, ctx_state

from postvakt.errors import PostvaktError
from postvakt.inventory import Entry, Host, entry

CONNECT_SECONDS = 10


class Mode(StrEnum):
    PLAN = "plan"
    APPLY = "apply"


class Progress(Protocol):
    """What a deploy tells while it runs: the host, and what it is at."""

    def __call__(self, host: str, phase: str) -> None: ...


@dataclass
class Outcome:
    """What became of one host. ``error`` is one line, empty where all went well."""

    host: str
    resources: int = 0
    changed: list[str] = field(default_factory=list)
    error: str = ""


@dataclass(frozen=True)
class Deployment:
    """Hosts, each with the site file that says what runs on it and the data of its connection."""

    hosts: tuple[Host, ...]
    site: Path
    data: Callable[[Host], dict[str, Any]]


def run(deployments: Sequence[Deployment], mode: Mode, progress: Progress) -> tuple[Outcome, ...]:
    """Plan or apply on all hosts of all deployments side by side. One outcome a host, in their order.

    A host that fails stops there; the others go on to their end.
    """
    if not monkey.is_module_patched("socket"):
        raise RuntimeError("gevent.monkey.patch_all() has to come before this module is imported")
    # What pyinfra would print is told by progress, and what failed by its outcome.
    logger = logging.getLogger("pyinfra")
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    entries: list[Entry] = []
    sites: dict[str, Path] = {}
    for deployment in deployments:
        for host in deployment.hosts:
            name, data = entry(host)
            entries.append((name, {**data, **deployment.data(host)}))
            sites[name] = deployment.site
    state = State(check_for_changes=mode is Mode.PLAN)
    state.init(Inventory((entries, {})), Config(CONNECT_TIMEOUT=CONNECT_SECONDS))
    # While it executes, pyinfra runs an operation as soon as the site file adds it: every host goes
    # its own way from its connection to its end, and none waits for another.
    state.set_stage(StateStage.Prepare if mode is Mode.PLAN else StateStage.Execute)
    state.is_executing = mode is Mode.APPLY
    outcomes = {target.name: Outcome(target.name) for target in state.inventory}
    state.add_callback_handler(_telling(progress))
    with ctx_state.use(state):
        work = [
            gevent.spawn(_run_host, state, target, sites[target.name], outcomes[target.name], progress)
            for target in state.inventory
        ]
        gevent.joinall(work, raise_error=True)
    return tuple(outcomes.values())


def _run_host(state: State, target: Target, site: Path, outcome: Outcome, progress: Progress) -> None:
    """One host from its connection to its end. Every failure becomes one line of its outcome."""
    with ctx_config.use(state.config.copy()), ctx_host.use(target):
        try:
            progress(target.name, "connecting")
            target.connect(show_errors=False, raise_exceptions=True)
            state.activate_host(target)
            progress(target.name, "looking")
            runpy.run_path(str(site))
        except ConnectError as error:
            outcome.error = (
                f"cannot be reached by SSH: {error}; is it up, is its address right, and is its host key "
                f"the one that is pinned?"
            )
        except NestedOperationError:
            outcome.error = _failure(state, target)
        except (PyinfraError, OSError, SSHException, TimeoutError, PostvaktError) as error:
            outcome.error = str(error) or type(error).__name__
        except Exception as error:
            # A defect of ours: its kind and place as well, and the other hosts go on all the same.
            at = traceback.extract_tb(error.__traceback__)[-1]
            outcome.error = f"{type(error).__name__}: {error} ({Path(at.filename).name}, line {at.lineno})"
        finally:
            for title, done in _operations(state, target):
                outcome.resources += 1
                # What did not come to its end is not asked again of a host that failed.
                if done.did_change() if done.is_complete() else not outcome.error and done.will_change:
                    outcome.changed.append(title)
            if target.connected:
                target.disconnect()
            progress(target.name, "failed" if outcome.error else "done")


def _operations(state: State, target: Target) -> Iterator[tuple[str, OperationMeta]]:
    for op_hash, data in state.ops[target].items():
        (title,) = state.op_meta[op_hash].names
        yield title, data.operation_meta


def _failure(state: State, target: Target) -> str:
    """What failed on a host, with the last line that it said."""
    title, done = list(_operations(state, target))[-1]
    said = [line.strip() for line in done.stderr_lines + done.stdout_lines if line.strip()]
    errors = [line for line in said if line.startswith(("E:", "error", "fatal"))]
    return f"{title}: {(errors or said or ['it ended with an error and said nothing'])[-1]}"


def _telling(progress: Progress) -> BaseStateCallback:
    """Hands the start of every operation on as progress."""

    class Telling(BaseStateCallback):
        @staticmethod
        def operation_host_start(state: State, host: Target, op_hash: str) -> None:
            (title,) = state.op_meta[op_hash].names
            progress(host.name, title)

    return Telling()
