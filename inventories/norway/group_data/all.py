"""How these hosts are reached: by SSH, with pinned host keys and no exception."""

ssh_known_hosts_file = "inventories/norway/known_hosts"
ssh_strict_host_key_checking = "yes"
