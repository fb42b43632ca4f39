"""postvakt: declare, deploy, operate and prove a privacy-first mail provider.

Verbs act on the lab of this checkout; with --production they act on the real hosts.

Exit codes: 0 all well; 1 something failed or is not as it must be; 2 plan: something would change;
64 the command line is wrong. ``audit`` and ``check --strict`` have more: docs/auditing.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from postvakt import words
from postvakt.errors import PostvaktError

FAILED = 1
USAGE_ERROR = 64
DEPLOYING = ("plan", "apply", "everything")


class Parser(argparse.ArgumentParser):
    """argparse, but with an exit code for wrong usage that no verb uses for something else."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE_ERROR, f"postvakt: {message}; try ./postvakt {self.verb} --help\n")

    @property
    def verb(self) -> str:
        return self.prog.removeprefix("postvakt").strip()


def parser() -> Parser:
    root = Parser(prog="postvakt", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = root.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=Parser)
    production = Parser(add_help=False)
    production.add_argument(
        "--production", action="store_true", help="act on the real hosts instead of the lab"
    )
    some = Parser(add_help=False)
    some.add_argument("hosts", nargs="*", metavar="HOST", help="hosts or kinds; none means all")

    verbs.add_parser("up", help="raise the lab, deploy everything, check it, send mail both ways")
    down = verbs.add_parser("down", help="stop the lab and leave nothing of it behind")
    _discard(down)
    down.set_defaults(hosts=[])
    verbs.add_parser("status", help="the lab's hosts, what they use, and whether they run")
    plan = verbs.add_parser(
        "plan", parents=[production, some], help="what apply would change (exit code 2 if anything)"
    )
    apply = verbs.add_parser("apply", parents=[production, some], help="make the hosts what is declared")
    for verb in (plan, apply):
        verb.add_argument("--json", action="store_true", help="tell the outcome as JSON")
    apply.add_argument(
        "--kind-by-kind",
        action="store_true",
        help="one machine kind after the other, until a host fails; always so with --production",
    )
    check = verbs.add_parser(
        "check", parents=[production, some], help="look at every host: is it what is declared?"
    )
    check.add_argument("-k", metavar="WORDS", help="only checks whose names match")
    check.add_argument("--clause", metavar="ID", action="append", default=[], help="only what proves this")
    check.add_argument(
        "--strict", action="store_true", help="fail on what is not tested, waived or run out, too"
    )
    test = verbs.add_parser("test", help="every test: unit, linters, host checks, journeys")
    test.add_argument("-k", metavar="WORDS", help="only tests whose names match")

    account = verbs.add_parser("account", help="subscribers' mailboxes")
    account_verbs = account.add_subparsers(
        dest="account_verb", required=True, metavar="VERB", parser_class=Parser
    )
    add = account_verbs.add_parser("add", parents=[production], help="make a mailbox")
    add.add_argument("address")
    add.add_argument("--plan", choices=("trial", "subscribed"), default="trial")
    for name in ("first-name", "last-name", "company", "mobile", "country", "alternative-address"):
        add.add_argument(f"--{name}", metavar="TEXT")
    password = account_verbs.add_parser(
        "set-password", parents=[production], help="give a mailbox a new password"
    )
    password.add_argument("address")
    for verb in (add, password):
        verb.add_argument("--prompt", action="store_true", help="ask for the password instead of making one")
    account_verbs.add_parser("list", parents=[production], help="every mailbox")
    show = account_verbs.add_parser("show", parents=[production], help="one mailbox")
    show.add_argument("address")
    words.mailboxes(account_verbs, production, Parser)
    words.mail(verbs, production, Parser)

    names = verbs.add_parser("dns", help="what the world sees of a domain")
    names_verbs = names.add_subparsers(dest="dns_verb", required=True, metavar="VERB", parser_class=Parser)
    look = names_verbs.add_parser(
        "check", parents=[production], help="ask the authoritative servers, validate from the root"
    )
    look.add_argument("domain")
    look.add_argument("--selector", action="append", default=[], metavar="NAME", help="a DKIM key to look at")

    tls = verbs.add_parser("tls", help="the mail host's TLS keys")
    tls_verbs = tls.add_subparsers(dest="tls_verb", required=True, metavar="VERB", parser_class=Parser)
    tls_verbs.add_parser("status", parents=[production], help="which key is in use, which is next")
    rotate = tls_verbs.add_parser("rotate", parents=[production], help="put the next key in place")
    rotate.add_argument("--dry-run", action="store_true", help="say what would be done, or what hinders it")

    dkim = verbs.add_parser("dkim", help="the keys with which mail is signed")
    dkim_verbs = dkim.add_subparsers(dest="dkim_verb", required=True, metavar="VERB", parser_class=Parser)
    dkim_verbs.add_parser("show", parents=[production], help="which keys sign, and which are published")
    rotate = dkim_verbs.add_parser("rotate", parents=[production], help="sign with the next keys")
    rotate.add_argument("--dry-run", action="store_true", help="only say what would be done")

    inventory = verbs.add_parser("inventory", help="the estate: where hosts stand, what they hold")
    form = inventory.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument("--csv", action="store_true", help="as CSV")

    policy = verbs.add_parser(
        "policy", parents=[production], help="what is promised, where it binds, and what is known of it"
    )
    policy.add_argument("--json", action="store_true", help="as JSON")
    policy_verbs = policy.add_subparsers(dest="policy_verb", metavar="VERB", parser_class=Parser)
    explain = policy_verbs.add_parser("show", help="one promise: where it is set, how it is checked")
    explain.add_argument("clause", metavar="ID")
    compare = policy_verbs.add_parser("compare", help="is this text the policy that the catalog restates?")
    compare.add_argument("file", metavar="FILE", help="the text, in Markdown")

    audit = verbs.add_parser(
        "audit", parents=[production], help="ask every host, judge every promise, write a signed bundle"
    )
    audit.add_argument("--clause", metavar="ID", action="append", default=[], help="only this promise")
    audit.add_argument("--host", metavar="HOST", action="append", default=[], help="only this host or kind")
    audit.add_argument("--into", metavar="DIR", help="where bundles are kept; evidence/ otherwise")
    signing = audit.add_mutually_exclusive_group()
    signing.add_argument("--key", metavar="FILE", help="an operator's SSH key; the lab has one of its own")
    signing.add_argument("--unsigned", action="store_true", help="no signature; the bundle says so")
    audit.add_argument("--timings", action="store_true", help="where the time goes")
    audit_verbs = audit.add_subparsers(dest="audit_verb", metavar="VERB", parser_class=Parser)
    verify = audit_verbs.add_parser("verify", help="is a bundle whole, unchanged and signed by an operator?")
    verify.add_argument("bundle", metavar="DIR")
    verify.add_argument("--signers", metavar="FILE", help="who may sign, as ssh-keygen -Y verify takes it")
    differ = audit_verbs.add_parser("diff", help="what is different between two bundles (exit code 1)")
    differ.add_argument("before", metavar="A")
    differ.add_argument("after", metavar="B")
    audit_verbs.add_parser("signers", help="who may sign, as ssh-keygen -Y verify takes it")

    lab = verbs.add_parser("lab", help="the lab alone: hosts without a deploy, and the way into them")
    lab_verbs = lab.add_subparsers(dest="lab_verb", required=True, metavar="VERB", parser_class=Parser)
    lab_verbs.add_parser("up", help="boot the hosts; deploy nothing")
    lab_down = lab_verbs.add_parser("down", help="stop the hosts, or some of them")
    lab_down.add_argument("hosts", nargs="*", metavar="HOST", help="only these hosts")
    _discard(lab_down)
    lab_verbs.add_parser("status", help="the hosts, what they use, and whether they run")
    shell = lab_verbs.add_parser("shell", help="a shell on a host, by SSH")
    shell.add_argument("host")
    run = lab_verbs.add_parser("exec", help="run a command on a host, by SSH")
    run.add_argument("host")
    run.add_argument("command", nargs="+", metavar="-- COMMAND")
    inside = lab_verbs.add_parser("enter", help="run a command (a shell) inside the lab's network")
    inside.add_argument("command", nargs="*", metavar="-- COMMAND")

    # Steps of ``up`` and ``test``, each a process of its own inside the lab's network.
    verbs.add_parser("everything")
    verbs.add_parser("deliver")
    return root


def _discard(down: argparse.ArgumentParser) -> None:
    down.add_argument("--discard", action="store_true", help="throw the hosts' disks away too")
    down.add_argument("--dry-run", action="store_true", help="say what would be stopped and thrown away")
    down.add_argument("--yes", action="store_true", help="with --discard: do not ask")


def main(argv: Sequence[str] | None = None) -> int:
    options = parser().parse_args(argv)
    if options.verb in DEPLOYING:
        # Before anything else is imported: pyinfra's hosts are greenlets, and with the standard
        # library's own sockets one of them would keep all others waiting.
        from gevent import monkey

        monkey.patch_all()
    from postvakt.console import fail

    try:
        # The inventories and the catalogue are read, and refused, while this is imported.
        from postvakt import verbs

        return verbs.run(options)
    except PostvaktError as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("interrupted; the same command again goes on where it stopped")
    return FAILED


if __name__ == "__main__":
    sys.exit(main())
