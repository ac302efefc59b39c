import { ParticipantPage } from "../room/page.js";

new ParticipantPage().start();
