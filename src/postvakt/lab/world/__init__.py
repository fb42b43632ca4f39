"""The lab's outside world: a DNS root, a certificate authority, another mail provider, a client."""
