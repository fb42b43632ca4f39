"""The people who may enter hosts: one file an operator."""
