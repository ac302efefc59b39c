import { watchDialogLinks } from "../shared/controls/dialogs.js";
import { sendFormsOnce } from "../shared/controls/single_submit.js";

watchDialogLinks();
sendFormsOnce();
