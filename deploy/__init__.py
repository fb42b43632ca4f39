"""How something is put on a host. Nothing here knows a service."""
