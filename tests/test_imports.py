from __future__ import annotations

import subprocess
import sys


def test_a_worker_pulls_in_neither_flask_nor_socketio_nor_eventlet() -> None:
    program = (
        "import sys, webapp.worker, webapp.vision.pipeline\n"
        "print(*{'flask', 'flask_socketio', 'socketio', 'eventlet'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""


def test_the_server_process_loads_no_network_and_no_opencv() -> None:
    program = (
        "import sys, warnings; warnings.simplefilter('ignore'); import webapp.app, webapp.websocket\n"
        "print(*{'cv2', 'tensorflow', 'keras', 'ai_edge_litert'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
