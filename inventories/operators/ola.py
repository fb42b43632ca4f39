from datetime import date

from postvakt.inventory import Operator

OLA = Operator(
    name="ola",
    full_name="Ola Nordmann",
    keys=("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMBFBykrOFaoI02OKFlasMSDjSSbHCSFU416adUkzdGl ola",),
    valid_until=date(2027, 12, 31),
)
