from __future__ import annotations

import pytest
from testinfra.host import Host as Nouns

from deploy.kinds import web_names
from postvakt.inventory import Host, Kind

KINDS = {Kind.MAIL}


def get(host: Nouns, declared: Host, url: str) -> str:
    """Status line, headers and text, as a stranger gets them."""
    name = url.split("/")[2]
    script = (
        "import http.client, ssl, sys; "
        "t = ssl.create_default_context(); t.check_hostname = False; t.verify_mode = ssl.CERT_NONE; "
        f"secure = {url.startswith('https')}; "
        f"c = http.client.HTTPSConnection('{name}', context=t) if secure else "
        f"http.client.HTTPConnection('{name}'); "
        f"c.request('GET', '/{'/'.join(url.split('/')[3:])}'); r = c.getresponse(); "
        "print(r.status); print(r.headers); print(r.read().decode())"
    )
    return host.check_output(f'python3 -c "{script}"')


def test_every_visit_is_led_to_https(host: Nouns, declared: Host) -> None:
    """SEC-04.l."""
    for name in web_names(declared):
        shown = get(host, declared, f"http://{name}/x")
        assert shown.startswith("301")
        assert f"Location: https://{name}/x" in shown


def test_headers_close_what_can_be_closed(host: Nouns, declared: Host) -> None:
    shown = get(host, declared, f"https://mta-sts.{declared.estate.domain}/.well-known/mta-sts.txt")
    for line in (
        "Strict-Transport-Security: max-age=63072000; includeSubDomains",
        "X-Content-Type-Options: nosniff",
        "Referrer-Policy: no-referrer",
        "default-src 'none'",
        "frame-ancestors 'none'",
    ):
        assert line in shown
    assert "Content-Encoding" not in shown
    assert "Server: nginx\n" in shown


def test_no_visit_is_written_down(host: Nouns, declared: Host) -> None:
    """LOG-01: said once for all sites, and nothing lies there."""
    said = host.check_output("nginx -T 2>/dev/null")
    assert said.count("access_log") == 1
    assert "access_log off;" in said
    assert host.check_output("find /var/log/nginx -type f -size +0") == ""


@pytest.mark.parametrize("name", ["not-ours.example", "mail1.no.postvakt.example"])
def test_a_name_without_a_site_is_shown_nothing(host: Nouns, declared: Host, name: str) -> None:
    done = host.run(f"openssl s_client -connect {declared.ipv4.ip}:443 -servername {name} </dev/null")
    assert "BEGIN CERTIFICATE" not in done.stdout
    assert done.rc != 0
