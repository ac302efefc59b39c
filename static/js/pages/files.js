import { FilesPage } from "../files/page.js";

new FilesPage().start();
