import { EmbeddedPage } from "../embed/page.js";

new EmbeddedPage().start();
