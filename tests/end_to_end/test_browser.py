"""Deciding in the Temporal UI, as an approver does: read the card, fill in the code one was sent, send."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from selenium.webdriver import ActionChains, Chrome, ChromeOptions, Keys
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from starters.demo import SAMPLES
from tests.activities.test_codec import key_file
from tests.desk import OVER_LIMIT
from tests.end_to_end.conftest import House, free_ports
from tests.receivers import receiving
from workers.codec import KEY_BYTES
from workers.settings import Settings

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
QUIET = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --window-size=1400,1600"
)
PATIENCE = 20


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    if not (CHROMIUM and DRIVER):
        pytest.skip("no Chromium with its driver here (Debian: apt-get install chromium chromium-driver)")
    options = ChromeOptions()
    options.binary_location = CHROMIUM
    for word in (*QUIET.split(), f"--user-data-dir={tmp_path / 'browser'}"):
        options.add_argument(word)
    chrome = Chrome(options=options, service=Service(DRIVER))
    yield chrome
    chrome.quit()


def at(browser: Chrome, xpath: str) -> WebElement:
    """The first that is to be seen there; the page has the same for narrow screens, hidden."""

    def seen(_: Chrome) -> WebElement | None:
        return next((one for one in browser.find_elements(By.XPATH, xpath) if one.is_displayed()), None)

    found = WebDriverWait(browser, PATIENCE).until(seen)
    assert found
    return found


def card_of(browser: Chrome) -> str:
    """What the page's second frame says: the first is the summary."""
    WebDriverWait(browser, PATIENCE).until(lambda _: len(browser.find_elements(By.TAG_NAME, "iframe")) > 1)
    browser.switch_to.frame(browser.find_elements(By.TAG_NAME, "iframe")[1])
    text = at(browser, "//body").text
    browser.switch_to.default_content()
    return text


def charters_with_codes(folder: Path) -> str:
    folder.mkdir()
    charter = (Settings().charters / "invoice-intake.yaml").read_text()
    charter = charter.replace("[signature, code, asserted]", "[signature, code]")
    (folder / "invoice-intake.yaml").write_text(charter.replace("notices: []", "notices: [assignment]"))
    return str(folder)


def codec(folder: Path) -> dict[str, str]:
    port, token = str(free_ports()[0]), "t" * 40
    return {
        "CASEWORK_CODEC_KEYS": str(key_file(folder, k1=os.urandom(KEY_BYTES))),
        "CASEWORK_CODEC_PORT": port,
        "CASEWORK_CODEC_TOKEN": token,
        "CASEWORK_CODEC_ENDPOINT": f"http://127.0.0.1:{port}/{token}",
    }


def test_sealed_case_is_decided_in_the_temporal_ui_with_the_code_one_was_sent(
    house: House, browser: Chrome, tmp_path: Path
) -> None:
    house.env.update(codec(tmp_path))
    house.env["CASEWORK_CHARTERS"] = charters_with_codes(tmp_path / "charters")
    house.env["CASEWORK_NOTICES"] = str(tmp_path / "people.txt")
    with receiving() as receiver:
        (tmp_path / "people.txt").write_text(f"ap-clerk={receiver.url}\n")
        with house.running(), house.running("codec-server"):
            (case,) = house.json("start", "invoice-intake", str(SAMPLES / OVER_LIMIT), "--wait")
            (notice,) = receiver.wait(1, PATIENCE)
            code = re.search(r"Your code: (\S+)", notice["message"])
            assert code

            ui = f"http://127.0.0.1:{house.env['CASEWORK_UI_PORT']}/namespaces/default/workflows"
            browser.get(f"{ui}/{quote(case['case'], safe='')}")
            at(browser, "//*[@data-testid='user-metadata-tab']").click()
            card = card_of(browser)
            message = json.loads(re.findall(r'\{"by".*\}', card)[0]) | {"by": "ap-clerk", "code": code[1]}
            at(browser, "//button[contains(., 'More Actions')]").click()
            at(browser, "//*[@data-testid='update-button']").click()
            at(browser, "//*[@data-testid='update-select-button']").click()
            at(browser, "//*[@role='option'][contains(., 'decide')]").click()
            editor = at(browser, "//*[contains(@class, 'cm-content')][@contenteditable='true']")
            editor.click()
            ActionChains(browser).key_down(Keys.CONTROL).send_keys("a").key_up(Keys.CONTROL).perform()
            ActionChains(browser).send_keys(json.dumps(message)).perform()
            at(browser, "//label[contains(., 'Update ID')]").click()  # the editor lays it out anew when it is left
            browser.save_screenshot(str(tmp_path / "deciding.png"))
            at(browser, "//button[normalize-space(.)='Submit']").click()
            house.until(lambda done: done["applied"] == 1)

    assert "21896.00" in card
    assert code[1] not in card
    assert house.rows("SELECT decided_by FROM cases") == [("ap-clerk",)]
