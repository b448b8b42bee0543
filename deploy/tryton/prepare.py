# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a Tryton database for tests and the demo: `.tryton/bin/python deploy/tryton/prepare.py FOLDER`.

A company, its chart of accounts and a user of casework's own, whose key is left in FOLDER/key. Tryton in earnest is
set up by whoever runs it: activate the module casework there, and give its user a key.
"""

import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import trytond.modules
from proteus import Model, config
from trytond.modules.account.tests.tools import create_chart, get_accounts
from trytond.modules.company.tests.tools import create_company, get_company
from trytond.modules.currency.tests.tools import get_currency

HERE = Path(__file__).parent
NAME = "crm"
CURRENCIES = ("EUR", "USD", "GBP", "CHF", "SEK", "DKK", "NOK", "PLN", "CZK", "JPY")


def main(folder: Path) -> None:
    shutil.copytree(HERE / "casework", Path(trytond.modules.__path__[0], "casework"), dirs_exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / f"{NAME}.sqlite").touch()
    settings = folder / "trytond.conf"
    settings.write_text(f"[database]\nuri = sqlite://\npath = {folder.resolve()}\n")
    password = folder / "password"
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe())
    admin = Path(sys.executable).parent / "trytond-admin"
    words = ["-c", str(settings), "-d", NAME, "-u", "casework", "--activate-dependencies", "--email", "crm@example.com"]
    subprocess.run([admin, *words], check=True, env={**os.environ, "TRYTONPASSFILE": str(password)})  # noqa: S603
    config.set_trytond(f"sqlite:///{NAME}", config_file=str(settings))
    furnish()
    key = folder / "key"
    key.touch(mode=0o600)
    key.write_text(key_of_casework())


def furnish() -> None:
    for code in CURRENCIES:
        get_currency(code).save()
    company = Model.get("party.party")(name="Example AG")
    company.save()
    create_company(party=company, currency="EUR")
    create_chart(get_company())
    accounts = get_accounts(get_company())
    configuration = Model.get("account.configuration")(1)
    configuration.default_category_account_expense = accounts["expense"]
    configuration.default_account_payable = accounts["payable"]
    configuration.save()


def key_of_casework() -> str:
    group = Model.get("res.group")
    user = Model.get("res.user")(name="casework", login="casework")
    user.groups.extend(group.find([("name", "in", ["Casework", "Accounting"])]))
    company = get_company()
    user.companies.append(company)
    user.company = company
    user.save()
    application = Model.get("res.user.application")(user=user, application="rest")
    application.save()
    application.state = "validated"
    application.save()
    key: str = application.key
    return key


if __name__ == "__main__":
    main(Path(sys.argv[1]))
