"""What every contender makes so: a number of files with owner, group and mode. Here in our words."""

import json
from pathlib import Path

from pyinfra.context import host as here

from deploy.converge import converge
from deploy.ops import File, Role

FILES = json.loads(Path(here.data.files).read_text())

converge(
    lambda host: (
        Role(
            "files",
            lambda host: iter(
                File(one["path"], one["content"], one["owner"], one["group"], int(one["mode"], 8))
                for one in FILES
            ),
        ),
    )
)
