"""Programs that run on hosts, with Debian's Python and Debian's packages only."""
