"""Chromium without a window, driven over its DevTools protocol."""

from __future__ import annotations

import base64
import itertools
import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any, Self
from urllib.request import urlopen

from websockets.sync.client import ClientConnection, connect

from credit_warehouse.bulletin.printing import browser


class Browser:
    """One tab, of a size; a context that ends the browser."""

    def __init__(self, profile: Path, width: int, height: int) -> None:
        program = browser()
        assert program is not None
        self._process = subprocess.Popen(
            [
                program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--remote-debugging-port=0", f"--user-data-dir={profile}", "--lang=zh-CN",
                f"--window-size={width},{height}", "about:blank",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._numbers = itertools.count(1)
        self._socket = self._attach(profile / "DevToolsActivePort")
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._call("Emulation.setDeviceMetricsOverride", **metrics)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._process.terminate()
        self._process.wait(timeout=20)

    def open(self, url: str) -> None:
        """Go to an address and wait until its document is read."""
        self._call("Page.navigate", url=url)
        self.until(
            "document.readyState === 'complete' && location.href !== 'about:blank'", f"{url} to be read"
        )

    def ask(self, expression: str) -> Any:
        """Value of a JavaScript expression in the page."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def type_into(self, selector: str, text: str) -> None:
        """Type into a field, as a person does."""
        self.until(f"document.querySelector({json.dumps(selector)}) !== null", f"{selector} to appear")
        self.ask(f"document.querySelector({json.dumps(selector)}).focus()")
        self._call("Input.insertText", text=text)

    def reload(self) -> None:
        """Load the page again, address and all, as F5 does."""
        self.ask("window.isOld = true")
        self._call("Page.reload")
        self.until("!window.isOld && document.readyState === 'complete'", "the page to be read again")

    def click(self, selector: str) -> None:
        """Click in the middle of an element, as a mouse does."""
        self.until(f"document.querySelector({json.dumps(selector)}) !== null", f"{selector} to appear")
        place = self.ask(
            f"(r => ({{x: r.x + r.width / 2, y: r.y + r.height / 2}}))"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    def sheets(self) -> int:
        """Sheets of paper the page takes, of the size it asks for."""
        printed = base64.b64decode(self._call("Page.printToPDF", preferCSSPageSize=True)["data"])
        return len(re.findall(rb"/Type\s*/Page\b", printed))

    def until(self, condition: str, what: str, seconds: float = 300) -> None:
        """Wait for a condition in the page; fails when it does not come true."""
        deadline = time.monotonic() + seconds
        while not self.ask(condition):
            assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
            time.sleep(0.25)

    def _attach(self, file: Path) -> ClientConnection:
        deadline = time.monotonic() + 60
        while not (file.exists() and file.read_text().count("\n")):
            assert self._process.poll() is None and time.monotonic() < deadline, "Chromium does not start"
            time.sleep(0.1)
        port = file.read_text().splitlines()[0]
        with urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as response:
            tabs = json.load(response)
        address = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
        return connect(address, max_size=None)

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv(timeout=120))
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return dict(answer["result"])
