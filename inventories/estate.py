"""What every host of the provider shares."""

from inventories.operators.kari import KARI
from inventories.operators.ola import OLA
from postvakt.inventory import Estate

ESTATE = Estate(
    name="Postvakt",
    domain="postvakt.example",
    operators=(KARI, OLA),
    contact="hostmaster@postvakt.example",
)
