"""What an inventory may not say is refused before anything connects."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from inventories.hosts import HOSTS
from inventories.norway.hosts import OSLO
from inventories.us.hosts import ASHBURN
from postvakt.inventory import (
    NORWAY_ONLY,
    DataSet,
    Entry,
    Host,
    InventoryError,
    Kind,
    Settings,
    Site,
    host,
    select,
    validate,
)
from roles.postfix import Postfix

ROOT = Path(__file__).resolve().parents[2]


def entry(name: str = "x1.no", *, site: Site = OSLO, ipv4: str = "198.51.100.99/24") -> Entry:
    return host(
        name,
        kind=Kind.WEB,
        site=site,
        estate=HOSTS[0].estate,
        ipv4=ipv4,
        ipv6="2001:db8:47::99/64",
        holds=[DataSet.WEB_UPLOADS],
        team="web",
    )


@pytest.mark.parametrize("data", NORWAY_ONLY)
def test_norwegian_data_abroad_is_refused_with_its_clause(data: DataSet) -> None:
    with pytest.raises(InventoryError, match=NORWAY_ONLY[data]) as refused:
        host(
            "mail9.us",
            kind=Kind.WEB,
            site=ASHBURN,
            estate=HOSTS[0].estate,
            ipv4="203.0.113.9/24",
            ipv6="2001:db8:1::9/64",
            holds=[DataSet.WEB_UPLOADS, data],
            team="mail",
        )
    assert "mail9.us" in str(refused.value)


@pytest.mark.parametrize(
    ("site", "said"), [(ASHBURN, "clause ACC-01 keeps it in Norway"), (OSLO, "add it to its holds")]
)
def test_a_host_cannot_hide_what_its_kind_holds(site: Site, said: str) -> None:
    with pytest.raises(InventoryError, match=said):
        host(
            "mail9",
            kind=Kind.MAIL,
            site=site,
            estate=HOSTS[0].estate,
            ipv4="203.0.113.9/24",
            ipv6="2001:db8:1::9/64",
            holds=[DataSet.WEB_UPLOADS],
            team="mail",
        )


def cli(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line, on another copy of the tree."""
    return subprocess.run(
        [sys.executable, "-m", "postvakt.cli", *words],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": f"{tree / 'src'}:{tree}"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("file", "before", "after", "said"),
    [
        ("norway/hosts.py", "198.51.100.20/24", "198.51.100.10/24", "198.51.100.10 is given to 2 hosts"),
        ("norway/hosts.py", "198.51.100.20/24", "198.51.100.256/24", "host support1.no"),
        ("norway/hosts.py", "Country.NO", "Country.US", "keeps it in Norway"),
        ("policy.toml", "keep_days = 6", "keep_days = 7", "LOG-02"),
    ],
)
def test_an_inventory_that_must_not_be_deployed_is_one_line(
    tmp_path: Path, file: str, before: str, after: str, said: str
) -> None:
    for name in ("src", "inventories", "deploy", "roles", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    assert cli(tmp_path, "inventory").returncode == 0, "the copy must work before it is spoilt"
    spoilt = tmp_path / "inventories" / file
    assert before in spoilt.read_text()
    spoilt.write_text(spoilt.read_text().replace(before, after))
    for verb in ("inventory", "plan"):
        done = cli(tmp_path, verb)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert said in done.stderr


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(InventoryError, match=r"x1\.no.*198\.51\.100\.999"):
        entry(ipv4="198.51.100.999/24")


def test_names_and_addresses_are_given_once() -> None:
    first: Host = entry()[1]["declared"]
    same: Host = entry("x2.no")[1]["declared"]
    with pytest.raises(InventoryError, match=r"198\.51\.100\.99 .*x1\.no, x2\.no"):
        validate([first, same])
    with pytest.raises(InventoryError, match=r"the name x1\.no"):
        validate([first, first])


def test_hosts_are_chosen_by_name_short_name_and_kind() -> None:
    def names(*words: str) -> list[str]:
        return [one.name for one in select(HOSTS, words)]

    assert names() == [one.name for one in HOSTS]
    assert names("mail1") == names("mail1.no") == names("mail") == ["mail1.no"]
    assert names("web") == ["web1.no", "web1.us"]
    assert names("web1.us", "web") == ["web1.us", "web1.no"]
    with pytest.raises(InventoryError, match=r"web1 is not one host: say web1\.no or web1\.us"):
        names("web1")
    with pytest.raises(InventoryError, match="no host or kind is called mial"):
        names("mial")


def test_settings_come_from_the_inventory_or_the_role() -> None:
    plain = HOSTS[0]
    assert plain.setting(Postfix) == Postfix()
    own: tuple[Settings, ...] = (Postfix(message_size_mb=7),)
    changed = Host(**{**vars(plain), "settings": own})
    assert changed.setting(Postfix).message_size_mb == 7


def checked(path: Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "mypy", "--strict", str(path)]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_inventory_as_it_stands_is_without_error() -> None:
    done = checked(ROOT / "inventories" / "norway" / "hosts.py")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("Kind.MAIL", "Kind.MIAL"),
        ("site=OSLO", "site=OSLOO"),
        ("team=", "taem="),
        ("DataSet.BACKUPS", "DataSet.BACKUP"),
        ("country=Country.NO", 'country="NO"'),
    ],
)
def test_a_typing_error_is_an_error_of_the_type_checker(tmp_path: Path, right: str, wrong: str) -> None:
    text = (ROOT / "inventories" / "norway" / "hosts.py").read_text()
    assert right in text
    (tmp_path / "hosts.py").write_text(text.replace(right, wrong, 1))
    done = checked(tmp_path / "hosts.py")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "hosts.py" in done.stdout
