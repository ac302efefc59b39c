import { sendFormsOnce } from "../shared/controls/single_submit.js";

sendFormsOnce();
