"""`casework settings`: what is set, and where it came from."""

from starters import screen
from starters.shell import Json, app
from workers.settings import Settings


@app.command("settings")
def show_settings(*, as_json: Json = False) -> None:
    """Show every setting, secrets masked, and whether the environment or the default gave it."""
    told = Settings.from_env().told()
    if as_json:
        screen.print_json([{"name": name, "value": value, "set": given} for name, value, given in told])
        return
    table = screen.listing("setting", "value", "from", wide="value")
    for name, value, given in told:
        table.add_row(name, screen.plain(value, 200), "environment" if given else "default")
    screen.out.print(table)
