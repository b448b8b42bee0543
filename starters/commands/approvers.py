"""The directory of approvers: who is in it, by which key, in which groups."""

import re
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from activities.directory import Unknown
from activities.proof import anybody_signs
from schemas.message import PersonId
from schemas.steps import Voter, is_group
from starters import screen
from starters.refused import Refused
from starters.shell import As, Json, app, shell
from starters.signing import new_key, private_key, public_half

approver_app = typer.Typer(no_args_is_help=True, help="Keep the directory of those who decide.")
app.add_typer(approver_app, name="approver")

PUBLIC_KEY = re.compile("[0-9a-f]{64}")
Person = Annotated[str, typer.Argument(metavar="ID", help="As the charter names them: ap-clerk.")]


@approver_app.command("add")
def add(
    person: Person,
    *,
    groups: Annotated[
        list[str] | None, typer.Option("--in", metavar="GROUP", help="group:NAME or role:NAME; again for more.")
    ] = None,
    key: Annotated[
        str, typer.Option("--key", help="Their public key, from 'casework approver key' on their own machine.")
    ] = "",
    who: As = "",
) -> None:
    """Enter somebody, or enter them anew with other groups; without --key, their key is made and kept here."""
    _check(person, groups or ())
    if key and not PUBLIC_KEY.fullmatch(key):
        raise typer.BadParameter("a public key is 64 hexadecimal digits", param_hint="--key")
    if key and anybody_signs(key):
        raise typer.BadParameter(
            "anybody can sign for this key: have 'casework approver key' make one", param_hint="--key"
        )
    with shell() as it:
        folder, me = it.settings.key_folder, it.person(who)
        mine = private_key(folder, person)
        # Who keeps their key on another machine keeps it when their groups are changed here.
        known = {row.id: row.public_key for row in it.parts.directory.listing() if not row.revoked_at}.get(person)
        public = key or (public_half(mine) if mine else known or public_half(new_key(folder, person)))
        it.parts.directory.add(person, public, groups or (), me)
    kept = "" if key or public == known else f"; the private key is kept in {folder}"
    screen.out.print(f"{person} decides, in steps that open from now on, by the key {public[:12]}{kept}")


@approver_app.command("revoke")
def revoke(person: Person, *, who: As = "") -> None:
    """Take away somebody's right to decide; their votes in steps that are still open are struck."""
    _check(person, ())
    with shell() as it:
        me = it.person(who)
        try:
            it.parts.directory.revoke(person, me)
        except Unknown as error:
            raise Refused(str(error)) from None
    screen.out.print(f"{person} decides no more")


@approver_app.command("key")
def key(person: Person) -> None:
    """Make your own key on this machine, unless there is one; print its public half for whoever keeps the directory."""
    _check(person, ())
    with shell() as it:
        folder = it.settings.key_folder
        print(public_half(private_key(folder, person) or new_key(folder, person)))  # noqa: T201


@approver_app.command("list")
def listing(*, as_json: Json = False) -> None:
    """List everybody in the directory."""
    with shell() as it:
        rows = it.parts.directory.listing()
    if as_json:
        screen.print_json([row.model_dump() for row in rows])
        return
    table = screen.listing("id", "groups", "key", "since", "standing", wide="groups")
    for row in rows:
        standing = f"revoked {screen.ago(row.revoked_at)}" if row.revoked_at else "decides"
        groups = ", ".join(row.groups)
        table.add_row(row.id, groups, (row.public_key or "-")[:12], screen.ago(row.added_at), standing)
    screen.out.print(table if rows else "nobody is in the directory: 'casework approver add ID' enters somebody")


def _check(person: str, groups: tuple[str, ...] | list[str]) -> None:
    try:
        TypeAdapter(PersonId).validate_python(person)
    except ValidationError:
        raise typer.BadParameter(f"{person!r} is no id: lower-case letters, digits, . _ -", param_hint="ID") from None
    for group in groups:
        try:
            TypeAdapter(Voter).validate_python(group)
        except ValidationError:
            group = ""  # noqa: PLW2901
        if not is_group(group):
            raise typer.BadParameter("a group is group:NAME or role:NAME", param_hint="--in")
