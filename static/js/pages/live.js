import { Page } from "../live/page.js";

new Page().start();
