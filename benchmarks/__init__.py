"""How fast a deploy is, against other tools that do the same work in the same run."""
