"""The people of the lab: one at each provider. Their passwords open nothing outside it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    address: str
    password: str


KARI = Person("kari@postvakt.example", "fjell-kaffe-brygge-lykt-elleve")
ELLEN = Person("ellen@elsewhere.example", "harbour-lantern-seven-birch")
