"""Evidence: a run of all checks, put down as a signed bundle that an auditor can read without this tool."""
