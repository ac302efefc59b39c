import { LivePage } from "../live/page.js";
import { Connection } from "../shared/connection.js";

new LivePage({ connect: (onState) => new Connection(onState) }).start();
