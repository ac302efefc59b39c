from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_a_worker_pulls_in_neither_flask_nor_socketio_nor_eventlet() -> None:
    program = (
        "import sys, webapp.analysis.worker, webapp.vision.pipeline\n"
        "print(*{'flask', 'flask_socketio', 'socketio', 'eventlet'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""


def test_the_server_process_loads_no_network_and_no_opencv() -> None:
    program = (
        "import sys, warnings; warnings.simplefilter('ignore'); import webapp.app, webapp.server.websocket\n"
        "print(*{'cv2', 'tensorflow', 'keras', 'ai_edge_litert'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""


def test_only_two_modules_know_eventlet() -> None:
    modules = [ROOT / "wsgi.py", *ROOT.glob("webapp/**/*.py"), *ROOT.glob("models/**/*.py")]
    imports = re.compile(r"^\s*(import|from) eventlet", re.MULTILINE)
    assert [path.name for path in modules if imports.search(path.read_text())] == ["wsgi.py", "websocket.py"]
