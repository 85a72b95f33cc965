"""`truthmill down`: ends the engine; its data stays unless it is asked to go."""

import shutil

from truthmill_cli import engine
from truthmill_cli.home import Home


def down(home: Home, clean: bool) -> bool:
    """End the engine that this home started; whether one was running. clean: delete everything it kept."""
    if not home.path.exists():
        return False
    with home.alone():
        was_running = engine.stop(home)
        if clean:
            shutil.rmtree(home.path)
    return was_running
