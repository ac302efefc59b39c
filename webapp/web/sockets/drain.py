"""The end of a server with people on it: nobody gets in any more, and those who are here go elsewhere."""

from __future__ import annotations

import logging
import time

from webapp.rooms.catalogue.catalogue import Catalogue
from webapp.web.sockets.connections import LEAVE_S, Connections

logger = logging.getLogger(__name__)


class Drain:
    """Begins once, on one thread; any thread may look whether it has begun."""

    def __init__(self, catalogue: Catalogue, connections: Connections) -> None:
        self._catalogue = catalogue
        self._connections = connections
        self.has_begun = False

    def begin(self) -> None:
        """Give the rooms up, then send everybody away; returns when whoever does not leave is cut off.

        Rooms first: whoever connects again finds them at another node.
        """
        self.has_begun = True
        count = len(self._connections)
        self._catalogue.give_up_all()
        self._connections.send_all_away()
        end_s = time.monotonic() + 2 * LEAVE_S
        while len(self._connections) and time.monotonic() < end_s:
            time.sleep(0.05)
        logger.info("drained: %d of %d connections left", count - len(self._connections), count)
