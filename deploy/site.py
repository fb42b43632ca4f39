"""The entry point of a deploy, executed by pyinfra once for each host.

pyinfra inventories/norway/hosts.py deploy/site.py
"""

from deploy.converge import converge
from deploy.kinds import roles_of

converge(roles_of)
