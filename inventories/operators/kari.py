from datetime import date

from postvakt.inventory import Operator

KARI = Operator(
    name="kari",
    full_name="Kari Nordmann",
    keys=("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBRc+Be8tPfb0oaDme4XEYC4Z5hbypEmbh83o3c97zyo kari",),
    valid_until=date(2027, 12, 31),
)
