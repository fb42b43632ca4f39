"""Postvakt: declare, deploy, operate and prove a privacy-first mail provider."""
