"""The estate. An auditor starts here: every host, where it stands and what it holds."""
