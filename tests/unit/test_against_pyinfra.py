"""Our decisions are stock pyinfra's: for any state of a host, both act or both leave it alone.

pyinfra looks at this machine through its own facts and operations, one after another; ours through the
probe, once. What stock pyinfra refuses to touch (a link where a file should be) counts as acting: it is
not as declared.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyinfra.api.config import Config
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.inventory import Inventory
from pyinfra.api.operation import OperationMeta
from pyinfra.api.state import State, StateStage
from pyinfra.context import ctx_host, ctx_state
from pyinfra.operations import apt, files

from deploy import facts
from deploy.converge import decide
from deploy.facts import Question
from deploy.ops import Absent, Directory, File, Packages, Resource

OWNERS = ("root", "daemon")
MODES = (0o600, 0o644, 0o755)
CONTENTS = ("", "one\n", "two\n")
owners, modes, contents = st.sampled_from(OWNERS), st.sampled_from(MODES), st.sampled_from(CONTENTS)
states = st.tuples(
    st.sampled_from(["nothing", "file", "directory", "link", "dangling link"]),
    owners,
    owners,
    modes,
    contents,
)


def make(place: Path, kind: str, owner: str, group: str, mode: int, content: str) -> None:
    """Put something at a path, whatever is there."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
    match kind:
        case "file":
            place.write_text(content)
        case "directory":
            place.mkdir()
        case "link":
            place.symlink_to("/etc/hostname")
            return
        case "dangling link":
            place.symlink_to("nowhere")
            return
        case _:
            return
    shutil.chown(place, owner, group)
    place.chmod(mode)


@pytest.fixture(scope="module")
def stock() -> Callable[[Callable[[], OperationMeta]], bool]:
    """Whether a stock operation would change this machine."""

    def would_change(operation: Callable[[], OperationMeta]) -> bool:
        # Facts are kept for the life of a state; the next example is another host.
        state = State(check_for_changes=True)
        state.init(Inventory((["@local"], {})), Config())
        state.set_stage(StateStage.Prepare)
        (host,) = state.inventory
        with ctx_state.use(state), ctx_host.use(host):
            host.connect(raise_exceptions=True)
            state.activate_host(host)
            try:
                return operation().will_change
            except PyinfraError:
                return True

    assert os.geteuid() == 0, "owners are compared too: run the tests as root"
    return would_change


def ours(resource: Resource) -> bool:
    command, text = facts.command(Question.about([resource]))
    done = subprocess.run(["sh", "-c", command], input=text, capture_output=True, text=True, check=True)
    return decide(resource, facts.read(done.stdout)) is not None


Stock = Callable[[Callable[[], OperationMeta]], bool]
rule = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@rule
@given(states, owners, owners, modes, contents)
def test_files(
    stock: Stock,
    tmp_path: Path,
    state: tuple[str, str, str, int, str],
    owner: str,
    group: str,
    mode: int,
    content: str,
) -> None:
    place = tmp_path / "x"
    make(place, *state)
    wanted = File(str(place), content, owner, group, mode)
    expected = stock(
        lambda: files.put(
            src=io.StringIO(content),
            dest=str(place),
            user=owner,
            group=group,
            mode=f"{mode:o}",
            create_remote_dir=False,
        )
    )
    assert ours(wanted) == expected
    assert expected == (state != ("file", owner, group, mode, content)), "and both are right"


@rule
@given(states, owners, owners, modes)
def test_directories(
    stock: Stock, tmp_path: Path, state: tuple[str, str, str, int, str], owner: str, group: str, mode: int
) -> None:
    place = tmp_path / "x"
    make(place, *state)
    expected = stock(lambda: files.directory(path=str(place), user=owner, group=group, mode=f"{mode:o}"))
    assert ours(Directory(str(place), owner, group, mode)) == expected
    assert expected == (state[:4] != ("directory", owner, group, mode))


@rule
@given(states)
def test_what_must_be_absent(stock: Stock, tmp_path: Path, state: tuple[str, str, str, int, str]) -> None:
    place = tmp_path / "x"
    make(place, *state)
    operation = (
        files.directory if state[0] == "directory" else files.link if "link" in state[0] else files.file
    )
    expected = stock(lambda: operation(path=str(place), present=False))
    assert ours(Absent(str(place))) == expected
    assert expected == (state[0] != "nothing")


@rule
@given(
    st.sets(st.sampled_from(["bash", "coreutils", "dpkg", "no-such-package", "python3-no-such"]), min_size=1)
)
def test_packages(stock: Stock, names: set[str]) -> None:
    expected = stock(lambda: apt.packages(packages=sorted(names)))
    assert ours(Packages(tuple(sorted(names)))) == expected
    assert expected == any("no-such" in name for name in names)
