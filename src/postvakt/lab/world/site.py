"""The entry point of the outside world's deploy; the counterpart of ``deploy/site.py``."""

from deploy.converge import converge
from postvakt.lab.world.kinds import roles_of

converge(roles_of)
