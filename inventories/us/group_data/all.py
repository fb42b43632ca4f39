"""How these hosts are reached: by SSH, with pinned host keys and no exception."""

from deploy.connection import CONNECT

ssh_known_hosts_file = "inventories/us/known_hosts"
ssh_strict_host_key_checking = "yes"
ssh_paramiko_connect_kwargs = CONNECT
